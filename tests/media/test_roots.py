import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from harken.media import MediaRoots, SourceError, SourceNotAFile, SourceNotFound, SourceOutside
from harken.media.roots import MOMENT_S
from tests.conftest import eventually

NOBODY = 65534  # a user who owns nothing


@pytest.fixture
def root(tmp_path):
    """A media root with one file in it, and a secret beside it."""
    folder = tmp_path / "media"
    (folder / "album").mkdir(parents=True)
    (folder / "album" / "a.wav").write_bytes(b"sound")
    (tmp_path / "secret.wav").write_bytes(b"secret")
    return folder


@pytest.fixture
def roots(root):
    """The one root."""
    return MediaRoots([root])


def test_a_relative_path_is_one_below_the_root(root, roots):
    assert roots.resolve("album/a.wav") == root / "album" / "a.wav"


def test_an_absolute_path_below_the_root_is_taken(root, roots):
    assert roots.resolve(str(root / "album" / "a.wav")) == root / "album" / "a.wav"


def test_a_path_that_stays_below_the_root_may_hold_dots(root, roots):
    assert roots.resolve("./album/../album//a.wav") == root / "album" / "a.wav"


@pytest.mark.parametrize(
    "name", ["../secret.wav", "album/../../secret.wav", "/etc/passwd", "/", ".."]
)
def test_a_path_out_of_the_root_is_refused(roots, name):
    with pytest.raises(SourceOutside) as caught:
        roots.resolve(name)
    assert caught.value.path == name
    assert caught.value.reason == "SOURCE_OUTSIDE_ROOTS"


@pytest.mark.parametrize("there", ["../secret.wav", "/etc/passwd", "/etc", "link"])
def test_whether_something_is_there_is_not_told_of_places_outside(root, roots, there):
    """The same answer, word for word, for what exists and what does not."""
    (root / "link").symlink_to(root.parent / "secret.wav")
    (root / "none").symlink_to(root.parent / "missing.wav")
    missing = {"link": "none"}.get(there, there + "-missing")
    answers = []
    for name in (there, missing):
        with pytest.raises(SourceError) as caught:
            roots.resolve(name)
        answers.append((type(caught.value), str(caught.value).replace(name, "NAME")))
    assert answers[0] == answers[1]
    assert answers[0][0] is SourceOutside


def test_a_link_out_of_the_root_is_refused(root, roots):
    (root / "link.wav").symlink_to(root.parent / "secret.wav")
    with pytest.raises(SourceOutside):
        roots.resolve("link.wav")


def test_a_linked_folder_out_of_the_root_is_refused(root, roots):
    (root / "out").symlink_to(root.parent)
    with pytest.raises(SourceOutside):
        roots.resolve("out/secret.wav")


def test_a_link_within_the_root_leads_to_its_file(root, roots):
    (root / "link.wav").symlink_to("album/a.wav")
    assert roots.resolve("link.wav") == root / "album" / "a.wav"


def test_a_link_into_another_root_leads_to_its_file(root, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    (root / "link.wav").symlink_to(other / "b.wav")
    (other / "b.wav").touch()
    assert MediaRoots([root, other]).resolve("link.wav") == other / "b.wav"


def test_a_link_that_leads_to_itself_is_not_found(root, roots):
    (root / "loop.wav").symlink_to("loop.wav")
    with pytest.raises(SourceNotFound, match="cannot be opened"):
        roots.resolve("loop.wav")


def test_a_link_to_nothing_within_the_root_is_not_found(root, roots):
    (root / "dangling.wav").symlink_to("gone.wav")
    with pytest.raises(SourceNotFound, match="does not exist"):
        roots.resolve("dangling.wav")


def test_a_root_may_itself_be_a_link(root, tmp_path):
    link = tmp_path / "link-to-media"
    link.symlink_to(root)
    roots = MediaRoots([link])
    for name in ("album/a.wav", str(link / "album/a.wav"), str(root / "album/a.wav")):
        assert roots.resolve(name) == root / "album" / "a.wav"


def test_a_folder_whose_name_begins_as_a_roots_is_outside(root, roots):
    sibling = root.parent / "media-private"
    sibling.mkdir()
    (sibling / "b.wav").touch()
    for name in (str(sibling / "b.wav"), "../media-private/b.wav"):
        with pytest.raises(SourceOutside):
            roots.resolve(name)


def test_what_is_missing_below_a_root_is_not_found(roots):
    with pytest.raises(SourceNotFound, match=r"'album/b\.wav' does not exist"):
        roots.resolve("album/b.wav")


def test_a_file_has_no_files_below_it(roots):
    with pytest.raises(SourceNotFound):
        roots.resolve("album/a.wav/b.wav")


@pytest.mark.parametrize("name", ["", ".", "album", "album/", "{root}", "{root}/"])
def test_a_folder_and_the_root_itself_are_no_files(root, roots, name):
    with pytest.raises(SourceNotAFile):
        roots.resolve(name.replace("{root}", str(root)))


def test_a_pipe_is_no_file_and_is_not_waited_for(root, roots):
    os.mkfifo(root / "pipe.wav")
    with pytest.raises(SourceNotAFile):
        roots.resolve("pipe.wav")


def test_a_device_is_no_file():
    with pytest.raises(SourceNotAFile):
        MediaRoots(["/dev"]).resolve("null")


@pytest.mark.parametrize("name", ["a\0.wav", "\0", "../\0", "half \ud800 character.wav"])
def test_a_name_that_no_file_can_have_is_not_found(roots, name):
    with pytest.raises(SourceNotFound):
        roots.resolve(name)


def test_a_name_that_is_not_utf_8_is_found(root, roots):
    name = os.fsdecode(b"caf\xe9.wav")
    (root / name).touch()
    assert roots.resolve(name) == root / name


@pytest.mark.parametrize("name", ["ünïcode 🎵.wav", "a\nb.wav", " .wav", "-rf", "a'b\"c.wav", "…"])
def test_an_unusual_name_is_found(root, roots, name):
    (root / name).touch()
    assert roots.resolve(name) == root / name


@pytest.mark.parametrize("name", ["x" * 300 + ".wav", "x/" * 5000 + "a.wav"])
def test_a_name_that_is_too_long_cannot_be_opened_and_makes_no_long_message(roots, name):
    with pytest.raises(SourceNotFound) as caught:
        roots.resolve(name)
    assert len(str(caught.value)) < 200


def test_a_message_never_names_the_servers_folders(root, roots):
    for name in ("../secret.wav", "missing.wav", "album", "x" * 300):
        with pytest.raises(SourceError) as caught:
            roots.resolve(name)
        assert str(root) not in str(caught.value)


@pytest.fixture
def as_nobody() -> Iterator[None]:
    """Root may look into every folder, so it is somebody else for the test."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(NOBODY)
    yield
    if root:
        os.seteuid(0)


def test_a_folder_that_may_not_be_entered_is_a_clear_error(as_nobody):
    with tempfile.TemporaryDirectory() as folder:
        album = Path(folder, "album")
        album.mkdir()
        (album / "a.wav").touch()
        roots = MediaRoots([folder])
        assert roots.resolve("album/a.wav") == Path(os.path.realpath(folder), "album", "a.wav")
        album.chmod(0)
        try:
            with pytest.raises(SourceNotFound, match="Permission denied"):
                roots.resolve("album/a.wav")
        finally:
            album.chmod(0o755)


def test_a_relative_path_is_looked_for_in_each_root_in_turn(root, tmp_path):
    other = tmp_path / "other"
    (other / "album").mkdir(parents=True)
    (other / "album" / "b.wav").touch()
    roots = MediaRoots([root, other])
    assert roots.resolve("album/b.wav") == other / "album" / "b.wav"
    (other / "album" / "a.wav").touch()
    assert roots.resolve("album/a.wav") == root / "album" / "a.wav"


def test_a_folder_in_the_first_root_does_not_hide_a_file_in_the_second(root, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    (other / "album").touch()
    assert MediaRoots([root, other]).resolve("album") == other / "album"


def test_roots_may_lie_in_each_other(root):
    roots = MediaRoots([root / "album", root])
    assert roots.resolve("a.wav") == root / "album" / "a.wav"
    assert roots.resolve("../album/a.wav") == root / "album" / "a.wav"
    assert roots.resolve("album/a.wav") == root / "album" / "a.wav"


def test_a_relative_root_is_one_of_the_folder_it_was_given_in(root, monkeypatch):
    monkeypatch.chdir(root.parent)
    roots = MediaRoots(["media"])
    monkeypatch.chdir("/")
    assert roots.resolve("album/a.wav") == root / "album" / "a.wav"


def test_the_root_of_all_lets_everything_through(root):
    assert MediaRoots([Path("/")]).resolve(str(root / "album/a.wav")) == root / "album" / "a.wav"


def test_without_a_root_nothing_is_below_one(root):
    with pytest.raises(SourceOutside):
        MediaRoots([]).resolve(str(root / "album" / "a.wav"))


@pytest.fixture
def many_ways(root, tmp_path):
    """Submitted paths of every kind that a batch may hold, with links of files and folders."""
    (root / "album" / "b.wav").write_bytes(b"sound")
    (root / "inside.wav").symlink_to(root / "album" / "a.wav")
    (root / "linked").symlink_to(root / "album")
    (root / "out.wav").symlink_to(tmp_path / "secret.wav")
    (root / "outside").symlink_to(tmp_path)
    (root / "loop").symlink_to(root / "loop")
    other = tmp_path / "other"
    (other / "album").mkdir(parents=True)
    (other / "album" / "c.wav").write_bytes(b"sound")
    (other / "album" / "a.wav").write_bytes(b"another")
    paths = [
        *("album/a.wav", "album/b.wav", "album/c.wav", "album/none.wav", "album//a.wav"),
        *("album/./a.wav", "album/../album/a.wav", "inside.wav", "linked/a.wav", "linked/none.wav"),
        *(
            "out.wav",
            "outside/secret.wav",
            "outside/none.wav",
            "../secret.wav",
            "loop",
            "loop/a.wav",
        ),
        *(
            "album",
            "album/",
            "album/.",
            "album/..",
            ".",
            "..",
            "/",
            "",
            "//",
            "a\0b",
            "a\0/b",
            "\ud800",
        ),
        *("\ud800/a.wav", str(root / "album" / "a.wav"), str(root), str(tmp_path / "secret.wav")),
        *("/etc/passwd", "/none", "x" * 300, "album/a.wav/b.wav"),
    ]
    return [root, other], paths


@pytest.mark.parametrize("reverse", [False, True])
def test_many_paths_of_a_moment_come_out_as_each_alone(many_ways, reverse):
    folders, paths = many_ways
    roots = MediaRoots(reversed(folders) if reverse else folders)

    def outcome(resolve, path):
        try:
            return str(resolve(path))
        except SourceError as error:
            return error.reason, str(error)

    together = roots.resolver()
    for path in [*paths, *reversed(paths)]:
        assert outcome(together, path) == outcome(roots.resolve, path), path


def test_a_folder_that_leads_elsewhere_since_is_followed_anew_after_a_moment(root, roots, tmp_path):
    moment = [0.0]
    resolve = roots.resolver(clock=lambda: moment[0])
    link = root / "link"
    link.symlink_to(root / "album")
    assert resolve("link/a.wav")
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "a.wav").write_bytes(b"secret")
    link.unlink()
    link.symlink_to(outside)
    moment[0] += MOMENT_S + 0.1
    with pytest.raises(SourceOutside):
        resolve("link/a.wav")


def test_a_file_that_comes_and_goes_is_seen_as_it_is_at_once(root, roots):
    resolve = roots.resolver()
    for _ in range(2):
        with pytest.raises(SourceNotFound):
            resolve("new/b.wav")
        (root / "new").mkdir()
        (root / "new" / "b.wav").write_bytes(b"sound")
        assert resolve("new/b.wav")
        (root / "new" / "b.wav").unlink()
        (root / "new").rmdir()


def test_without_roots_no_path_of_many_is_below_one():
    with pytest.raises(SourceOutside):
        MediaRoots([]).resolver()("a.wav")


def read(file):
    with file:
        return file.read()


def test_an_opened_file_is_the_one_that_the_path_names(root, roots):
    (root / "link.wav").symlink_to("album/a.wav")
    for name in ("album/a.wav", str(root / "album/a.wav"), "./album/../album//a.wav", "link.wav"):
        assert read(roots.open(name)) == b"sound"


def test_links_into_another_root_and_absolute_ones_are_opened(root, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    (other / "b.wav").write_bytes(b"other")
    (root / "there.wav").symlink_to(other / "b.wav")
    (root / "here.wav").symlink_to(root / "album" / "a.wav")
    roots = MediaRoots([root, other])
    assert read(roots.open("there.wav")) == b"other"
    assert read(roots.open("here.wav")) == b"sound"


def test_what_resolve_refuses_is_not_opened_and_for_the_same_reason(many_ways):
    folders, paths = many_ways
    roots = MediaRoots(folders)

    def outcome(read, path):
        try:
            return read(path)
        except SourceError as error:
            return error.reason, str(error)

    for path in paths:
        by_path = outcome(lambda path: roots.resolve(path).read_bytes(), path)
        assert outcome(lambda path: read(roots.open(path)), path) == by_path


def test_nothing_stays_open_when_a_file_is_refused(many_ways):
    folders, paths = many_ways
    roots = MediaRoots(folders)
    before = os.listdir("/proc/self/fd")
    for path in paths:
        try:
            roots.open(path).close()
        except SourceError:
            continue
    assert os.listdir("/proc/self/fd") == before


def test_a_folder_that_may_be_entered_but_not_listed_is_passed_through(as_nobody):
    with tempfile.TemporaryDirectory() as folder:
        album = Path(folder, "album")
        album.mkdir()
        (album / "a.wav").write_bytes(b"sound")
        album.chmod(0o311)
        try:
            assert read(MediaRoots([folder]).open("album/a.wav")) == b"sound"
        finally:
            album.chmod(0o755)


def test_a_file_that_may_not_be_read_is_a_clear_error(as_nobody):
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "a.wav")
        file.touch()
        file.chmod(0)
        with pytest.raises(SourceNotFound, match="Permission denied"):
            MediaRoots([folder]).open("a.wav")


OPENS = 3_000


@pytest.mark.parametrize("swapped", ["file", "folder", "folder in between", "pipe"])
def test_a_path_that_changes_while_it_is_opened_never_leads_out(root, roots, swapped):
    """A neighbour exchanges a part of the path, at once and for ever, for a link out of the root."""
    secret = root.parent / "secret"
    (secret / "album").mkdir(parents=True)
    (secret / "a.wav").write_bytes(b"secret")
    (secret / "album" / "a.wav").write_bytes(b"secret")
    (root / "deep" / "album").mkdir(parents=True)
    (root / "deep" / "album" / "a.wav").write_bytes(b"sound")
    place, other = {
        "file": (root / "album" / "a.wav", secret / "a.wav"),
        "folder": (root / "album", secret / "album"),
        "folder in between": (root / "deep", secret),
        "pipe": (root / "album" / "a.wav", None),
    }[swapped]
    trap = root / "trap"
    trap.symlink_to(other) if other else os.mkfifo(trap)
    path = "deep/album/a.wav" if swapped == "folder in between" else "album/a.wav"
    with exchanging(place, trap):
        outcomes = Counter(outcome_of_opening(roots, path) for _ in range(OPENS))
    allowed = {b"sound", "SOURCE_OUTSIDE_ROOTS", "SOURCE_NOT_FOUND", "SOURCE_NOT_A_FILE"}
    assert set(outcomes) <= allowed, outcomes
    assert outcomes[b"sound"], outcomes
    assert outcomes.total() - outcomes[b"sound"], "nothing was ever exchanged in time"


def test_a_check_of_the_path_alone_is_fooled_by_such_a_neighbour(root, roots):
    """So that the test above is known to see what it looks for."""
    trap = root / "trap"
    trap.symlink_to(root.parent / "secret.wav")

    def fooled():
        with suppress(SourceError):
            return roots.resolve("album/a.wav").read_bytes() == b"secret"

    with exchanging(root / "album" / "a.wav", trap):
        eventually(fooled)


def outcome_of_opening(roots, path):
    try:
        return read(roots.open(path))
    except SourceError as error:
        return error.reason


@contextmanager
def exchanging(one, other):
    """Another process swaps two paths as fast as it can, each time in one step, so that neither is ever missing."""
    script = (
        "import ctypes, os, sys\n"
        "swap = ctypes.CDLL(None).renameat2\n"
        "one, other = map(os.fsencode, sys.argv[1:])\n"
        "print(flush=True)\n"
        "while os.getppid() == PARENT:\n"
        "    assert swap(-100, one, -100, other, 2) == 0\n"
    ).replace("PARENT", str(os.getpid()))
    command = [sys.executable, "-S", "-c", script, str(one), str(other)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as neighbour:
        neighbour.stdout.readline()
        try:
            yield
        finally:
            neighbour.kill()
