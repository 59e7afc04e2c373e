"""What may be submitted of a bucket, in pages."""

import time
from collections.abc import Iterator

from harken.media.bucket_source import bucket_errors, open_bucket
from harken.media.listing import LONGEST_S, Listed, Page
from harken.media.media_names import is_media_name
from harken.media.pattern import Pattern, split_place
from harken.media.source_errors import UriNotAllowed
from harken.media.source_rules import SourceRules
from harken.media.uri import SourceUri, parse_prefix


def list_bucket(
    rules: SourceRules, place: str, *, after: str | None, size: int, every_name: bool
) -> Page:
    """A page of the objects below a prefix, or of a pattern such as "s3://bucket/music/**/*.flac".

    Raises SourceError, and SourceUnreachable where the bucket does not answer.
    """
    folder, text = split_place(place)
    uri = parse_prefix(folder)
    rules.check(uri)
    pattern = Pattern.of(text, hidden=every_name)
    until = time.monotonic() + LONGEST_S
    page = Page()
    for key, bytes_of_it in _objects(uri, after):
        if len(page.files) == size or (page.last is not None and time.monotonic() > until):
            return page
        page.last = key
        below = key.removeprefix(uri.path)
        wanted = every_name or is_media_name(key)
        if wanted and below and not key.endswith("/") and pattern.matches(below):
            found = f"{uri.scheme}://{uri.host}/{key}"
            if _is_allowed(rules, uri, key):
                page.files.append(Listed(place=found, position=key, size=bytes_of_it))
    page.last = None
    return page


def _objects(uri: SourceUri, after: str | None) -> Iterator[tuple[str, int]]:
    import obstore

    store = open_bucket(uri)
    prefix = uri.path.rstrip("/") or None
    with bucket_errors(uri):
        pages = iter(obstore.list(store, prefix, offset=after))
    while True:
        with bucket_errors(uri):
            some = next(pages, None)
        if some is None:
            return
        yield from ((found["path"], found["size"]) for found in some)


def _is_allowed(rules: SourceRules, uri: SourceUri, key: str) -> bool:
    try:
        rules.check(SourceUri(scheme=uri.scheme, host=uri.host, port=0, path=key))
    except UriNotAllowed:
        return False
    return True
