"""Pages of what may be submitted of a place, looked for in threads of their own.

A file system or a bucket that hangs holds up other listings at most: submits, which ask the file system too, have
threads of theirs.
"""

from functools import partial

from harken.media import MediaRoots
from harken.media.bucket_listing import list_bucket
from harken.media.listing import list_folder
from harken.media.source_rules import SourceRules
from harken.media.uri import BUCKETS
from harken.server import tokens
from harken.server.errors import InvalidRequest, InvalidToken, Violation
from harken.server.file_checks import FileChecks
from harken.server.validate import LONGEST_PATH_BYTES
from harken.v1 import media_service_pb2 as messages
from harken.v1.source_pb2 import Source

# Published in media_service.proto and docs/limits.md.
DEFAULT_LISTED = 1_000
LARGEST_LISTED = 10_000
LARGEST_PAGE_BYTES = 3 * 1024 * 1024  # clients refuse messages over 4 MiB by default

_ADDRESSES = tuple(f"{scheme}://" for scheme in (*BUCKETS, "https", "http"))


class SourceListings:
    """Lists folders below the roots, and buckets within the rules."""

    def __init__(self, roots: MediaRoots, rules: SourceRules) -> None:
        self._roots = roots
        self._rules = rules
        self._threads = FileChecks()

    async def page(self, request: messages.ListSourcesRequest) -> messages.ListSourcesResponse:
        """The page that is asked for. Raises InvalidRequest, InvalidToken, SourceError and SourceUnreachable."""
        place, size = _place(request), _size(request.page_size)
        bound_to = ["sources", place, request.every_name]
        after = _after(request.page_token, bound_to)
        options = {"after": after, "size": size, "every_name": request.every_name}
        if in_bucket := place.lower().startswith(_ADDRESSES):
            ask = partial(list_bucket, self._rules, place, **options)
        else:
            ask = partial(list_folder, self._roots, place, **options)
        page = await self._threads.run(ask)
        response = messages.ListSourcesResponse(unreadable_folders=page.unreadable)
        last, page_bytes = page.last, response.ByteSize()
        for listed in page.files:
            source = Source(uri=listed.place) if in_bucket else Source(path=listed.place)
            message = messages.ListedSource(source=source, size=listed.size)
            page_bytes += message.ByteSize()
            if response.sources and page_bytes > LARGEST_PAGE_BYTES:
                break
            response.sources.append(message)
        if len(response.sources) < len(page.files):
            last = page.files[len(response.sources) - 1].position
        if last is not None:
            response.next_page_token = tokens.encode(last, bound_to)
        return response

    def close(self) -> None:
        """Ends the threads; one that hangs is not waited for."""
        self._threads.close()


def _place(request: messages.ListSourcesRequest) -> str:
    if not request.place:
        description = "Name a folder, a pattern or a bucket, such as music/**/*.flac."
        raise InvalidRequest([Violation("place", "NO_PLACE", description)])
    if len(request.place.encode()) > LONGEST_PATH_BYTES:
        description = f"The place has more than {LONGEST_PATH_BYTES} bytes."
        raise InvalidRequest([Violation("place", "PATH_TOO_LONG", description)])
    return request.place


def _size(wanted: int) -> int:
    if wanted < 0:
        violation = Violation("page_size", "NEGATIVE_PAGE_SIZE", "It has to be at least 0.")
        raise InvalidRequest([violation])
    return min(wanted or DEFAULT_LISTED, LARGEST_LISTED)


def _after(page_token: str, bound_to: object) -> str | None:
    if not page_token:
        return None
    after = tokens.decode(page_token, bound_to, field="page_token")
    if not isinstance(after, str):
        raise InvalidToken("page_token")
    return after
