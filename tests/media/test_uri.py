"""Addresses of sources, taken apart and judged."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harken.media.source_errors import UriMalformed, UriNotAllowed
from harken.media.source_rules import SourceRules
from harken.media.uri import LONGEST_URI_BYTES, SourceUri, parse_uri

SECRET = "geheim"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://h.test/a.wav", SourceUri(scheme="https", host="h.test", port=443, path="/a.wav")),
        ("HTTPS://H.Test:8443", SourceUri(scheme="https", host="h.test", port=8443, path="/")),
        (
            "https://h.test/a%20b.wav?x=1&y=%2F",
            SourceUri(
                scheme="https", host="h.test", port=443, path="/a%20b.wav", query="x=1&y=%2F"
            ),
        ),
        ("https://[2a00::1]:1/a", SourceUri(scheme="https", host="2a00::1", port=1, path="/a")),
        (
            "https://bücher.test/ü",
            SourceUri(scheme="https", host="xn--bcher-kva.test", port=443, path="/%C3%BC"),
        ),
        ("https://h.test./a#part", SourceUri(scheme="https", host="h.test", port=443, path="/a")),
        (
            "s3://my-bucket/an/ü key.wav",
            SourceUri(scheme="s3", host="my-bucket", port=0, path="an/ü key.wav"),
        ),
        ("gs://b.c_d/k?#@", SourceUri(scheme="gs", host="b.c_d", port=0, path="k?#@")),
        ("az://container/k", SourceUri(scheme="az", host="container", port=0, path="k")),
    ],
)
def test_an_address_has_these_parts(text: str, expected: SourceUri) -> None:
    assert parse_uri(text) == expected


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "begin with one of"),
        ("song.wav", "begin with one of"),
        ("http://h.test/a", "begin with one of"),
        ("file:///etc/passwd", "begin with one of"),
        ("https:/h.test/a", "begin with one of"),
        (f"https://user:{SECRET}@h.test/a", "user's name or password"),
        (f"https://{SECRET}@h.test/a", "user's name or password"),
        ("https://", "no host"),
        ("https:///a", "no host"),
        ("https://h.test:99999/a", "malformed"),
        ("https://h.test:0/a", "malformed"),
        ("https://h.test:x/a", "malformed"),
        ("https://[::1/a", "malformed"),
        ("https://[fe80::1%25eth0]/a", "malformed"),
        ("https://h..test/a", "malformed"),
        ("https://-h.test/a", "malformed"),
        ("https://h.te st/a", "blank"),
        ("https://h.test\\@evil.test/a", "backslash"),
        ("https://h.test/a\r\nHost: evil", "control character"),
        ("https://h.test/\0", "control character"),
        ("https://h.test/\t", "control character"),
        ("https://" + "a" * 254 + ".test/", "malformed"),
        ("s3://bucket", "no object"),
        ("s3://bucket/", "no object"),
        ("s3://bucket/a/", "no object"),
        ("s3://bucket//a", "no object"),
        ("s3://bucket/../other/a", "no object"),
        ("s3://b/a", "no bucket"),
        ("s3://user:word@bucket/a", "no bucket"),
        ("s3://bucket:80/a", "no bucket"),
        ("s3:///a", "no bucket"),
        ("s3://bucket/a\0", "control character"),
        ("https://h.test/" + "a" * LONGEST_URI_BYTES, "4,096 bytes"),
    ],
)
def test_what_is_no_address_is_refused_and_says_why(text: str, why: str) -> None:
    with pytest.raises(UriMalformed) as caught:
        parse_uri(text)
    assert why in str(caught.value)
    assert SECRET not in str(caught.value) + caught.value.path


def test_what_is_shown_of_an_address_is_host_and_path() -> None:
    assert (
        parse_uri(f"https://h.test/a.wav?X-Amz-Signature={SECRET}").shown == "https://h.test/a.wav"
    )
    assert parse_uri("s3://bucket/a/b.wav").shown == "s3://bucket/a/b.wav"
    assert len(parse_uri("https://h.test/" + "a" * 4000).shown) == 120


@given(st.text(max_size=60))
def test_any_text_behind_the_scheme_is_an_address_or_refused(text: str) -> None:
    for scheme in ("https", "s3"):
        try:
            uri = parse_uri(f"{scheme}://{text}")
        except UriMalformed:
            continue
        assert uri.host
        assert not set(uri.host) & set("@/\\ \r\n\0#?")
        if scheme == "https":
            assert uri.target.isascii()
            assert not set(uri.target) & set(" \r\n\0\\")


RULES = SourceRules.of(
    ["https", "https://h.test:8443", "s3://corpus", "gs://corpus/speech", "az://con/one/two/"],
    "10.0.0.0/8",
)


@pytest.mark.parametrize(
    "text",
    [
        *("https://any.test/a", "https://h.test:8443/a", "s3://corpus/a", "gs://corpus/speech/a"),
        *("az://con/one/two/a", "https://10.1.1.1/a", "https://8.8.8.8/a"),
    ],
)
def test_what_the_rules_name_is_allowed(text: str) -> None:
    RULES.check(parse_uri(text))


@pytest.mark.parametrize(
    "text",
    [
        *("https://any.test:8443/a", "https://any.test:22/a", "s3://corpus2/a", "s3://other/a"),
        *("gs://corpus/speeches/a", "gs://corpus/a", "az://con/one/twofold", "az://corpus/a"),
        *("https://127.0.0.1/a", "https://[::1]/a", "https://[::ffff:127.0.0.1]/a"),
        *("https://169.254.169.254/a", "https://192.168.1.1/a"),
    ],
)
def test_what_they_do_not_name_is_refused(text: str) -> None:
    with pytest.raises(UriNotAllowed):
        RULES.check(parse_uri(text))


def test_a_rule_for_one_host_allows_no_other() -> None:
    rules = SourceRules.of(["https://h.test"])
    rules.check(parse_uri("https://h.test/a"))
    for text in ("https://other.test/a", "https://h.test:8443/a", "https://sub.h.test/a"):
        with pytest.raises(UriNotAllowed):
            rules.check(parse_uri(text))


def test_without_rules_nothing_is_fetched() -> None:
    for text in ("https://h.test/a", "s3://bucket/a"):
        with pytest.raises(UriNotAllowed, match="HARKEN_SOURCES"):
            SourceRules.of([]).check(parse_uri(text))


@pytest.mark.parametrize(
    "entry",
    [
        "http",
        "ftp://h",
        "https://",
        "https://h.test/path",
        "s3",
        "s3://",
        "gs",
        "h.test",
        "s3:///a",
        "none",
    ],
)
def test_a_rule_that_names_nothing_is_an_error(entry: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        SourceRules.of([entry])


@pytest.mark.parametrize(
    "text",
    [
        *("s3://mine/kept/blobs/a", "s3://mine/kept/a", "gs://mine/kept/a"),
        *("s3://mine/keptaside/a", "s3://mine/a"),
    ],
)
def test_what_harken_keeps_is_no_source_even_where_its_bucket_is_one(text: str) -> None:
    """Or an owner could have another's upload analysed, whose key would be known."""
    rules = SourceRules.of(["s3://mine", "gs://mine"], storage_url="s3://mine/kept")
    if text.startswith("s3://mine/kept/"):
        with pytest.raises(UriNotAllowed):
            rules.check(parse_uri(text))
    else:
        rules.check(parse_uri(text))
