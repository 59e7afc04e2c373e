"""What can be wrong with a source that is fetched, besides the errors of `roots`.

SourceError                the source's fault: trying again is pointless
├── UriMalformed           no address that could be fetched
├── UriNotAllowed          one that is not to be fetched from here
├── SourceForbidden        whoever has it does not give it away
├── SourceTooLarge         more bytes than the limit
├── SourceTooSlow          not there within the time for fetching
├── SourceUntrusted        its server cannot prove who it is
└── SourceRefused          it was answered with something else than the file
SourceUnreachable          an OSError: it may be there another time

No message holds more of an address than host and path: the rest may be a secret.
"""

from harken.media.roots import SourceError


class UriMalformed(SourceError):
    """It is no address that could be fetched."""

    reason = "MALFORMED_URI"


class UriNotAllowed(SourceError):
    """It is not to be fetched from here."""

    reason = "SOURCE_NOT_ALLOWED"


class SourceForbidden(SourceError):
    """Whoever has it does not give it away."""

    reason = "SOURCE_FORBIDDEN"


class SourceTooLarge(SourceError):
    """It has more bytes than the limit."""

    reason = "SOURCE_TOO_LARGE"


class SourceTooSlow(SourceError):
    """It was not there within the time for fetching."""

    reason = "SOURCE_TOO_SLOW"


class SourceUntrusted(SourceError):
    """Its server cannot prove who it is."""

    reason = "SOURCE_UNTRUSTED"


class SourceRefused(SourceError):
    """It was answered with something else than the file."""

    reason = "SOURCE_REFUSED"


class SourceUnreachable(OSError):
    """It may be there another time."""

    reason = "SOURCE_UNREACHABLE"
