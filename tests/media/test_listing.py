"""What may be submitted of a folder or a bucket, page by page."""

import os
import subprocess
import tempfile
import time
import tracemalloc
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

import obstore
import pytest
from hypothesis import given
from hypothesis import strategies as st
from obstore.store import S3Store

from harken.client.cli import audio_files
from harken.media import MediaRoots, SourceError, sorted_names
from harken.media import listing as module
from harken.media.bucket_listing import list_bucket
from harken.media.listing import list_folder
from harken.media.media_names import EXTENSIONS
from harken.media.pattern import Pattern, split_place
from harken.media.sorted_names import LARGE, SETTLED_NS
from harken.media.source_rules import SourceRules
from tests.media.test_roots import exchanging

NOBODY = 65534  # a user who owns nothing
FILES = [
    *("a.flac", "b.MP3", "notes.txt", ".hidden.wav", "z.wav"),
    *("album/1.flac", "album/2.flac", "album/cover.jpg", "album/cd/3.flac", "album/.git/4.flac"),
    *("al/x.flac", "album-b/y.ogg", "ü [live]/5.flac", "empty/.keep", "a*b/6.flac"),
]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A media root with files, a link out of it and one within it."""
    root = tmp_path / "media"
    for name in FILES:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x" * len(name))
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "s.wav").touch()
    (root / "out.wav").symlink_to(tmp_path / "secret" / "s.wav")
    (root / "outside").symlink_to(tmp_path / "secret")
    (root / "within.wav").symlink_to("a.flac")
    (root / "loop").symlink_to(root)
    os.mkfifo(root / "pipe.wav")
    return root


def listed(
    roots: MediaRoots, place: str, *, size: int = 100, every_name: bool = False
) -> list[str]:
    """All places, from pages of a size."""
    found: list[str] = []
    after: str | None = None
    while True:
        page = list_folder(roots, place, after=after, size=size, every_name=every_name)
        assert len(page.files) <= size
        found += [file.place for file in page.files]
        after = page.last
        if after is None:
            return found


ALL = [
    *("a*b/6.flac", "a.flac", "al/x.flac", "album/1.flac", "album/2.flac", "album/cd/3.flac"),
    *("album-b/y.ogg", "b.MP3", "within.wav", "z.wav", "ü [live]/5.flac"),
]


@pytest.mark.parametrize("size", [1, 2, 3, 100])
@pytest.mark.parametrize("place", [".", "./"])
def test_a_folder_is_all_sound_and_video_below_it(root: Path, place: str, size: int) -> None:
    found = listed(MediaRoots([root]), place, size=size)
    assert sorted(path.removeprefix("./") for path in found) == sorted(ALL)


def test_what_is_listed_can_be_submitted_as_it_is(root: Path) -> None:
    roots = MediaRoots([root])
    for place in (".", "album", "album/", str(root), f"{root}/album/**", "al*/**/*.flac"):
        found = listed(roots, place)
        assert found
        for path in found:
            assert roots.resolve(path).is_file()
            assert os.path.isabs(path) == os.path.isabs(place)


def test_sizes_are_told(root: Path) -> None:
    page = list_folder(MediaRoots([root]), "album", after=None, size=10, every_name=False)
    assert {file.place: file.size for file in page.files} == {
        name: len(name) for name in ("album/1.flac", "album/2.flac", "album/cd/3.flac")
    }


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ("*.flac", ["a.flac"]),
        ("**/*.flac", [name for name in ALL if name.endswith(".flac")]),
        ("album/*", ["album/1.flac", "album/2.flac"]),
        ("album/**", ["album/1.flac", "album/2.flac", "album/cd/3.flac"]),
        ("album/**/cd/*", ["album/cd/3.flac"]),
        ("al*/?.flac", ["al/x.flac", "album/1.flac", "album/2.flac"]),
        ("al*/[!1].flac", ["al/x.flac", "album/2.flac"]),
        ("**/cd/**/3.flac", ["album/cd/3.flac"]),
        ("album", ["album/1.flac", "album/2.flac", "album/cd/3.flac"]),
        ("a.flac", ["a.flac"]),
        ("album/*.jpg", []),
        ("none*", []),
    ],
)
def test_a_pattern_lists_what_matches(root: Path, place: str, expected: list[str]) -> None:
    assert sorted(listed(MediaRoots([root]), place)) == sorted(expected)


def test_every_name_may_be_wanted_and_hidden_ones_too(root: Path) -> None:
    found = listed(MediaRoots([root]), ".", every_name=True)
    assert sorted(path.removeprefix("./") for path in found) == sorted([*FILES, "within.wav"])
    assert listed(MediaRoots([root]), "album/*.jpg", every_name=True) == ["album/cover.jpg"]


@pytest.mark.parametrize(
    "place", ["..", "../secret", "outside", "outside/*", "/", "/etc", "../*", "album/../.."]
)
def test_what_is_outside_is_not_listed(root: Path, place: str) -> None:
    with pytest.raises(SourceError) as caught:
        listed(MediaRoots([root]), place, every_name=True)
    assert caught.value.reason == "SOURCE_OUTSIDE_ROOTS"


def test_a_pattern_does_not_lead_outside_either(root: Path) -> None:
    for place in ("**/s.wav", "*/../../secret/*", "*/s.wav", "*/*/../../*"):
        assert listed(MediaRoots([root]), place, every_name=True) == []


def test_a_folder_that_is_exchanged_for_a_link_while_it_is_listed_leads_nowhere(root: Path) -> None:
    trap = root / "trap"
    trap.symlink_to(root.parent / "secret")
    roots = MediaRoots([root])
    seen: set[str] = set()
    outcomes: set[str] = set()
    with exchanging(root / "album", trap):
        for place in ("**", "album", "album/**", "album/cd") * 150:
            try:
                seen.update(listed(roots, place, every_name=True))
                outcomes.add("listed")
            except SourceError as error:
                outcomes.add(error.reason)
    assert "album/1.flac" in seen
    assert {"listed", "SOURCE_OUTSIDE_ROOTS"} <= outcomes
    assert not any(path.endswith("s.wav") for path in seen)


@pytest.mark.parametrize("place", ["none", "none/", "none/*", "a.flac/b/*"])
def test_a_folder_that_is_not_there_is_an_error(root: Path, place: str) -> None:
    with pytest.raises(SourceError) as caught:
        listed(MediaRoots([root]), place)
    assert caught.value.reason == "SOURCE_NOT_FOUND"


def test_pages_stay_right_while_files_come_and_go(root: Path) -> None:
    roots = MediaRoots([root])
    first = list_folder(roots, ".", after=None, size=4, every_name=False)
    (root / "album").rename(root / "moved")  # where the next page would have begun
    (root / "0-new.wav").touch()
    (root / "y-new.wav").touch()
    second = list_folder(roots, ".", after=first.last, size=100, every_name=False)
    both = [file.place for file in (*first.files, *second.files)]
    assert len(both) == len(set(both))
    assert "./y-new.wav" in both
    assert "./z.wav" in both


@pytest.fixture
def as_nobody() -> Iterator[None]:
    """Root may look into every folder, so it is somebody else for the test."""
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(NOBODY)
    yield
    if is_root:
        os.seteuid(0)


def test_a_folder_that_cannot_be_read_is_told_and_stops_nothing(as_nobody: None) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for name in ("album/a.wav", "z.wav"):
            Path(folder, name).parent.mkdir(exist_ok=True)
            Path(folder, name).touch()
        Path(folder, "album").chmod(0)
        try:
            page = list_folder(MediaRoots([folder]), ".", after=None, size=9, every_name=False)
        finally:
            Path(folder, "album").chmod(0o755)
    assert page.unreadable == ["./album"]
    assert [file.place for file in page.files] == ["./z.wav"]


def test_names_that_are_no_text_are_left_out(root: Path) -> None:
    (root / os.fsdecode(b"caf\xe9.wav")).touch()
    (root / "line\nbreak.wav").touch()
    found = listed(MediaRoots([root]), "*.wav", size=1)
    assert "line\nbreak.wav" in found
    assert all(path.isascii() for path in found)


def test_folders_within_folders_without_end_do_not_exhaust_anything(tmp_path: Path) -> None:
    here = os.open(tmp_path, os.O_RDONLY)
    for _ in range(1_500):
        os.mkdir("d", dir_fd=here)
        there = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = there
    os.close(here)
    (tmp_path / "z.wav").touch()
    page = list_folder(MediaRoots([tmp_path]), ".", after=None, size=10, every_name=False)
    assert [file.place for file in page.files] == ["./z.wav"]
    assert len(page.unreadable) == 1
    subprocess.run(["rm", "-rf", str(tmp_path / "d")], check=True)


def test_a_page_that_takes_too_long_ends_where_it_is_and_the_next_goes_on(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every page takes too long here, so each gets one step further, and they do come to the end."""
    monkeypatch.setattr(module, "LONGEST_S", -1.0)
    assert sorted(listed(MediaRoots([root]), "**")) == sorted(ALL)


def test_more_files_than_are_kept_take_no_more_memory_than_some(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_NAMES", 500)
    peaks: list[int] = []
    for count in (1_000, 10_000):
        folder = tmp_path / str(count)
        folder.mkdir()
        here = os.open(folder, os.O_RDONLY)
        for number in range(count):
            os.mknod(f"{number:06}.wav", dir_fd=here)
        os.close(here)
        tracemalloc.start()
        page = list_folder(
            MediaRoots([tmp_path]), str(count), after=None, size=500, every_name=False
        )
        seen = len(page.files)
        while page.last is not None:
            page = list_folder(
                MediaRoots([tmp_path]), str(count), after=page.last, size=500, every_name=False
            )
            seen += len(page.files)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert seen == count
    assert peaks[1] < 2 * peaks[0]


def test_pages_of_a_large_folder_sort_its_names_once_and_see_what_changes(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = root / "large"
    folder.mkdir()
    for number in range(2 * LARGE):
        (folder / f"{number:05}.wav").touch()
    long_ago = time.time_ns() + 10 * SETTLED_NS
    monkeypatch.setattr(sorted_names.time, "time_ns", lambda: long_ago)
    scanned: list[object] = []
    scandir = os.scandir
    monkeypatch.setattr(os, "scandir", lambda at: scanned.append(at) or scandir(at))
    roots = MediaRoots((str(root),))

    def page(after: str | None) -> list[str]:
        found = list_folder(roots, "large", after=after, size=LARGE, every_name=False)
        return [one.position for one in found.files]

    first = page(None)
    assert page(first[-1])[-1] == f"{2 * LARGE - 1:05}.wav"
    assert len(scanned) == 1
    (folder / "00000a.wav").touch()
    assert page("00000.wav")[0] == "00000a.wav"
    assert len(scanned) == 2


def test_the_client_and_the_server_know_the_same_names() -> None:
    assert EXTENSIONS == audio_files.EXTENSIONS


NAMES = st.text(alphabet="ab.*?", min_size=1, max_size=4).filter(
    lambda name: name not in (".", "..")
)


@given(
    st.lists(NAMES, min_size=1, max_size=4),
    st.lists(st.text("ab.", min_size=1, max_size=4), min_size=1, max_size=4),
)
def test_a_pattern_without_two_stars_matches_name_by_name(
    parts: list[str], names: list[str]
) -> None:
    parts = [part for part in parts if "**" not in part] or ["a"]
    expected = len(parts) == len(names) and all(
        fnmatchcase(name, part) for part, name in zip(parts, names, strict=True)
    )
    assert Pattern.of("/".join(parts), hidden=True).matches("/".join(names)) == expected


@given(
    st.lists(st.sampled_from(["a", "b", "**", "*"]), min_size=1, max_size=5),
    st.lists(st.sampled_from("ab"), min_size=1, max_size=5),
)
def test_two_stars_stand_for_any_folders(parts: list[str], names: list[str]) -> None:
    """As Python's own matching has it, which is slow but plain."""

    def match(parts: list[str], names: list[str]) -> bool:
        if not parts:
            return not names
        if parts[0] == "**":
            return any(match(parts[1:], names[at:]) for at in range(len(names) + 1))
        return bool(names) and fnmatchcase(names[0], parts[0]) and match(parts[1:], names[1:])

    if parts[-1] == "**":
        parts = [*parts, "*"]
    assert Pattern.of("/".join(parts)).matches("/".join(names)) == match(parts, names)


@pytest.mark.parametrize(
    ("place", "split"),
    [
        ("music/**/*.flac", ("music/", "**/*.flac")),
        ("*.flac", ("", "*.flac")),
        ("music", ("music", "")),
        ("/a/b?/c", ("/a/", "b?/c")),
        ("s3://bucket/x*", ("s3://bucket/", "x*")),
    ],
)
def test_a_place_is_a_folder_and_what_is_wanted_below(place: str, split: tuple[str, str]) -> None:
    assert split_place(place) == split


@pytest.fixture
def bucket(s3_url: str) -> str:
    """A bucket of a real S3 server, with the same names as the folder has."""
    name = s3_url.split("/")[2]
    store = S3Store(name)
    for key in FILES:
        obstore.put(store, key, b"x" * len(key))
    return name


def keys(place: str, *rules: str, size: int = 100, every_name: bool = False) -> list[str]:
    """All keys, from pages of a size."""
    found: list[str] = []
    after: str | None = None
    while True:
        page = list_bucket(
            SourceRules.of(rules), place, after=after, size=size, every_name=every_name
        )
        found += [file.place.split("/", 3)[3] for file in page.files]
        after = page.last
        if after is None:
            return found


@pytest.mark.parametrize("size", [1, 4, 100])
def test_a_prefix_of_a_bucket_is_all_sound_and_video_below_it(bucket: str, size: int) -> None:
    rule = f"s3://{bucket}"
    expected = sorted(name for name in ALL if name != "within.wav")
    for place in (f"s3://{bucket}", f"s3://{bucket}/"):
        assert sorted(keys(place, rule, size=size)) == expected
    for place in (f"s3://{bucket}/album", f"s3://{bucket}/album/", f"s3://{bucket}/album/**"):
        found = keys(place, rule, size=size)
        assert found == ["album/1.flac", "album/2.flac", "album/cd/3.flac"]


def test_a_pattern_of_keys_lists_what_matches(bucket: str) -> None:
    rule = f"s3://{bucket}"
    assert keys(f"{rule}/al*/?.flac", rule) == ["al/x.flac", "album/1.flac", "album/2.flac"]
    assert keys(f"{rule}/**/cd/*", rule) == ["album/cd/3.flac"]
    assert sorted(keys(f"{rule}/**", rule, every_name=True)) == sorted(FILES)


def test_what_the_rules_do_not_name_is_not_listed(bucket: str) -> None:
    assert keys(f"s3://{bucket}/album", f"s3://{bucket}/album")
    for place in (f"s3://{bucket}", f"s3://{bucket}/al", f"s3://{bucket}/album-b"):
        with pytest.raises(SourceError) as caught:
            keys(place, f"s3://{bucket}/album")
        assert caught.value.reason == "SOURCE_NOT_ALLOWED"


@pytest.mark.parametrize("place", ["https://h.test/a/", "s3://", "s3://b/", "http://h/*"])
def test_what_cannot_be_listed_is_refused(place: str) -> None:
    with pytest.raises(SourceError) as caught:
        keys(place, "https")
    assert caught.value.reason == "MALFORMED_URI"
