"""A source in a bucket of S3, Google Cloud Storage or Azure.

Credentials and endpoints are those of this process's environment, as each provider's own tools read them; nothing of a
request gets there but bucket and key.
"""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from harken.media.roots import SourceNotFound
from harken.media.source_errors import SourceForbidden, SourceUnreachable
from harken.media.source_rules import SourceRules
from harken.media.stream import Cut, Stream
from harken.media.uri import SourceUri

if TYPE_CHECKING:
    from obstore.store import ObjectStore, RetryConfig

BLOCK_BYTES: Final = 8 * 1024 * 1024  # of one request: a cancel is seen between two
# Of one request; the job itself is tried again later. Options of the connection are left to the environment: any given
# here would displace all that are there.
_RETRIES: "RetryConfig" = {"max_retries": 2, "retry_timeout": timedelta(seconds=30)}


class BucketSources:
    """Opens objects within rules."""

    def __init__(self, rules: SourceRules) -> None:
        self._rules = rules

    @contextmanager
    def open(self, uri: SourceUri, cut: Cut) -> Generator[Stream]:
        """The object as it is now: one that is replaced on the way is an error.

        Raises SourceError and SourceUnreachable.
        """
        del cut  # a block is not waited for long
        self._rules.check(uri)
        store = open_bucket(uri)
        import obstore

        with bucket_errors(uri):
            meta = obstore.head(store, uri.path)
        yield Stream(size=meta["size"], blocks=_blocks(store, uri, meta["size"], meta["e_tag"]))


def open_bucket(uri: SourceUri) -> "ObjectStore":
    """The bucket of an address; nothing is asked of it yet. Raises SourceUnreachable."""
    # Not before it is needed: what forks must not have used the library, which has threads of its own.
    from obstore.store import AzureStore, GCSStore, S3Store

    kind = {"s3": S3Store, "gs": GCSStore, "az": AzureStore}[uri.scheme]
    try:
        return kind(uri.host, retry_config=_RETRIES)
    except Exception as error:
        place, why = f"{uri.scheme}://{uri.host}", type(error).__name__
        raise SourceUnreachable(f"{place} cannot be opened: {why}") from error


@contextmanager
def bucket_errors(uri: SourceUri) -> Generator[None]:
    """What the library raises within becomes SourceError or SourceUnreachable."""
    from obstore.exceptions import (
        BaseError,
        InvalidPathError,
        PermissionDeniedError,
        UnauthenticatedError,
    )

    try:
        yield
    except (FileNotFoundError, InvalidPathError) as error:  # its NotFoundError is the former
        raise SourceNotFound(uri.shown, f"{uri.shown} does not exist.") from error
    except (PermissionDeniedError, UnauthenticatedError) as error:
        message = f"{uri.shown} is not given away to this server. Its credentials are those of the worker's process."
        raise SourceForbidden(uri.shown, message) from error
    except (BaseError, OSError, ValueError) as error:
        raise SourceUnreachable(
            f"{uri.scheme}://{uri.host} does not answer: {type(error).__name__}"
        ) from error


def _blocks(store: "ObjectStore", uri: SourceUri, size: int, tag: str | None) -> Iterator[bytes]:
    import obstore

    for start in range(0, size, BLOCK_BYTES):
        with bucket_errors(uri):
            found = obstore.get(
                store,
                uri.path,
                options={"range": (start, min(start + BLOCK_BYTES, size)), "if_match": tag},
            ).bytes()
        yield bytes(found)
