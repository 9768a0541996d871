"""A file that is not whole: beside its target until it is, kept where it can be completed, never torn at its place."""

import base64
import errno
import hashlib
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from attrs import evolve
from films import large, sample
from scene import left_in

from gmi_video._part import Part
from gmi_video._range import Edition
from gmi_video.errors import TargetUnusable

BODY = large(50_000)
URL = "https://storage.example/film.mp4"
MD5 = base64.b64encode(hashlib.md5(BODY, usedforsecurity=False).digest()).decode()
FILM = Edition(url=URL, etag='"one"', size=len(BODY), md5=MD5)


def begun(target: Path, *pieces: bytes, edition: Edition = FILM) -> Part:
    """A part with some bytes in it."""
    part = Part(target)
    part.open()
    part.begin(edition)
    for piece in pieces:
        part.write(piece)
    return part


def cut(target: Path, size: int = 20_000, *, edition: Edition = FILM) -> None:
    """What an attempt that was broken off has left behind."""
    begun(target, BODY[:size], edition=edition).close(keep=True)


def taken_up(target: Path) -> Part:
    """The part that a later process finds."""
    part = Part(target)
    part.open()
    return part


def test_a_finished_part_is_at_its_place_and_nothing_is_beside_it(tmp_path: Path) -> None:
    """The bytes, the size and the digest are those that were written, with the permissions of any new file."""
    target = tmp_path / "film.mp4"
    part = begun(target, BODY[:7], b"", BODY[7:])
    during = target.exists()
    why = part.objection("video", None)
    sha256 = part.finish(overwrite=False)
    part.close()
    mask = os.umask(0)
    os.umask(mask)

    assert (during, why) == (False, None)
    assert target.read_bytes() == BODY
    assert (part.size, sha256) == (len(BODY), hashlib.sha256(BODY).hexdigest())
    assert left_in(tmp_path) == ["film.mp4"]
    assert stat.S_IMODE(target.stat().st_mode) == 0o666 & ~mask


def test_a_part_that_is_not_finished_leaves_nothing(tmp_path: Path) -> None:
    """Whatever ends the writing, neither the target nor a temporary file stays unless it is to be kept."""

    def interrupted() -> None:
        with Part(tmp_path / "film.mp4") as part:
            part.begin(FILM)
            part.write(BODY)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    Part(tmp_path / "film.mp4").close()
    with Part(tmp_path / "film.mp4"):
        pass

    assert left_in(tmp_path) == []


def test_beginning_anew_forgets_what_was_written(tmp_path: Path) -> None:
    """After `begin` only what follows is in the file and in its digest."""
    target = tmp_path / "film.mp4"
    part = begun(target, b"x" * 100_000)
    part.begin(FILM)
    part.write(BODY)
    sha256 = part.finish(overwrite=False)
    part.close()

    assert target.read_bytes() == BODY
    assert (part.size, sha256) == (len(BODY), hashlib.sha256(BODY).hexdigest())


def test_what_is_kept_is_completed_by_a_later_process(tmp_path: Path) -> None:
    """The bytes of a broken attempt count: only the rest is written, and the digest is that of the whole."""
    target = tmp_path / "film.mp4"
    cut(target)
    beside = left_in(tmp_path)
    part = taken_up(target)
    found = (part.size, part.edition)
    part.go_on()
    part.write(BODY[20_000:])
    why = part.objection("video", None)
    sha256 = part.finish(overwrite=False)
    part.close()

    assert len(beside) == 2
    assert found == (20_000, FILM)
    assert (why, sha256) == (None, hashlib.sha256(BODY).hexdigest())
    assert target.read_bytes() == BODY
    assert left_in(tmp_path) == ["film.mp4"]


def test_what_nothing_can_be_built_on_is_not_kept(tmp_path: Path) -> None:
    """Without a strong ETag or a generation nobody can say whether the rest would fit; a weak ETag does not."""
    for odd in (
        evolve(FILM, etag=None),
        evolve(FILM, etag='W/"one"'),
        evolve(FILM, etag="one"),
    ):
        cut(tmp_path / "film.mp4", edition=odd)
    begun(tmp_path / "film.mp4").close(keep=True)

    assert left_in(tmp_path) == []


def test_a_generation_is_as_good_as_an_etag(tmp_path: Path) -> None:
    """The storage's own number tells one edition from another."""
    numbered = evolve(FILM, etag=None, generation="1766")
    cut(tmp_path / "film.mp4", edition=numbered)
    part = taken_up(tmp_path / "film.mp4")

    assert part.held(URL) == numbered
    assert part.held("https://storage.example/other.mp4") is None
    assert not numbered.continues(evolve(numbered, generation=None))
    part.close()


@pytest.mark.parametrize(
    "note", [b"", b"{", b"[]", b"{}", b'{"url": 7}', b'{"url": "u", "etag": 5}', b"[" * 60_000, b"\xff"]
)
def test_a_note_that_says_nothing_is_no_reason_to_go_on(note: bytes, tmp_path: Path) -> None:
    """A note that was cut, or is none of ours, leaves a file that begins anew."""
    target = tmp_path / "film.mp4"
    cut(target)
    (path,) = tmp_path.glob(".*.json")
    path.write_bytes(note)
    part = taken_up(target)

    assert part.held(URL) is None
    part.begin(FILM)
    part.write(BODY)
    assert part.objection("video", None) is None
    part.close()
    assert left_in(tmp_path) == []


def test_a_part_that_is_larger_than_its_file_is_not_gone_on_with(tmp_path: Path) -> None:
    """More bytes than there are cannot be the beginning."""
    target = tmp_path / "film.mp4"
    cut(target)
    (path,) = tmp_path.glob(".*.part")
    path.write_bytes(BODY + b"more")
    part = taken_up(target)

    assert part.held(URL) is None
    part.close()


def test_two_writers_of_one_target_do_not_meet(tmp_path: Path) -> None:
    """While one holds the part another writes a file of its own; both are whole, and the later one is told."""
    target = tmp_path / "film.mp4"
    first, second = begun(target, b"another"), begun(target, BODY)
    second.finish(overwrite=False)
    second.close()
    first.write(b"film" * 9000)
    with pytest.raises(TargetUnusable, match="appeared"):
        first.finish(overwrite=False)
    first.close(keep=True)

    assert target.read_bytes() == BODY
    assert left_in(tmp_path) == ["film.mp4"]


def test_what_a_killed_second_writer_left_is_cleared_away(tmp_path: Path) -> None:
    """Its file has a name of the target's own, so that the next writer finds it, and lets be what is still written."""
    target = tmp_path / "film.mp4"
    first, second, third = begun(target), begun(target, b"a"), begun(target, b"b")
    left = set(left_in(tmp_path))
    copy = {name: (tmp_path / name).read_bytes() for name in left}
    second.close()
    first.close()
    for name, body in copy.items():  # the second's, as a kill would leave it
        if not (tmp_path / name).exists() and body:
            (tmp_path / name).write_bytes(body)
    taken_up(target).close()

    assert len([name for name in left if name.endswith(".part")]) == 3
    assert len(left_in(tmp_path)) == 1
    third.close()
    assert left_in(tmp_path) == []


def test_another_users_part_is_not_in_the_way(tmp_path: Path) -> None:
    """What cannot be opened under the shared name, as root leaves it, costs nothing but the resume."""
    target = tmp_path / "film.mp4"
    cut(target)
    (path,) = tmp_path.glob(".*.part")
    path.unlink()
    path.mkdir()
    part = begun(target, BODY)
    part.finish(overwrite=False)
    part.close()

    assert target.read_bytes() == BODY


def test_a_file_system_without_locks_is_left_clean(tmp_path: Path) -> None:
    """Where nothing can be locked nobody uses the shared name, and no empty file stays under it."""
    program = f"""
import errno, fcntl
from pathlib import Path
def no_locks(*_):
    raise OSError(errno.EOPNOTSUPP, "Operation not supported")
fcntl.flock = no_locks
from gmi_video._part import Part
from gmi_video._range import Edition
folder = Path({str(tmp_path)!r})
with Part(folder / "film.mp4") as part:
    part.begin(Edition(url="u", etag='"one"'))
    part.write(b"film")
    part.finish(overwrite=False)
print(sorted(path.name for path in folder.iterdir()))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout == "['film.mp4']\n"


def test_a_part_that_has_become_a_file_is_never_written_to(tmp_path: Path) -> None:
    """Killed between the two steps of a rename, the part is the target's own body: a later writer leaves it."""
    target = tmp_path / "film.mp4"
    cut(target, len(BODY))
    (path,) = tmp_path.glob(".*.part")
    os.link(path, target)
    part = begun(target, b"another film")
    part.close()

    assert target.read_bytes() == BODY
    assert not path.exists()


def test_a_prepared_link_is_not_followed(tmp_path: Path) -> None:
    """Somebody who foresees the hidden name cannot make us write to a file of his choice."""
    precious = tmp_path / "precious"
    precious.write_text("mine")
    target = tmp_path / "film.mp4"
    cut(target)
    (path,), (note,) = tmp_path.glob(".*.part"), tmp_path.glob(".*.json")
    for each in (path, note):
        each.unlink()
        each.symlink_to(precious)
    part = begun(target, BODY)
    part.finish(overwrite=False)
    part.close()

    assert precious.read_text() == "mine"
    assert target.read_bytes() == BODY
    assert not target.is_symlink()


def test_what_is_not_the_file_is_told_by_name(tmp_path: Path) -> None:
    """A wrong length, a wrong checksum, a torn container: each objection says which."""
    target = tmp_path / "film.mp4"
    flipped = bytearray(BODY)
    flipped[-1] ^= 1
    cases = [
        (BODY[:-1], FILM, "49,999 bytes came of 50,000"),
        (bytes(flipped), FILM, "checksum"),
        (BODY[:-1], evolve(FILM, size=None, md5=None), "goes on to byte"),
        (b"<html>" * 5000, Edition(url=URL), "a page"),
    ]
    for body, edition, words in cases:
        part = begun(target, body, edition=edition)
        assert words in str(part.objection("video", None))
        part.close()
    part = begun(target, sample(), edition=Edition(url=URL))
    assert part.objection("video", None) is None
    assert "was stated" in str(part.objection("video", (1, 1)))
    part.close()


def test_the_note_holds_no_query(tmp_path: Path) -> None:
    """What lies beside a file tells where it comes from, and none of the link's secrets."""
    cut(tmp_path / "film.mp4")
    (path,) = tmp_path.glob(".*.json")

    assert json.loads(path.read_text())["url"] == URL
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_room_is_asked_first(tmp_path: Path) -> None:
    """More than the disk has free is refused before it is tried, in the words for a disk that is full."""
    part = begun(tmp_path / "film.mp4")
    part.ask_room(1000)
    with pytest.raises(TargetUnusable, match="bytes are to come, and the disk has") as raised:
        part.ask_room(2**60)
    part.close()

    assert os.strerror(errno.ENOSPC) in str(raised.value)


def test_a_file_that_appeared_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    """Without `overwrite` the other file stays as it is, and nothing is left beside it."""
    target = tmp_path / "film.mp4"
    with Part(target) as part:
        part.begin(FILM)
        part.write(BODY)
        target.write_bytes(b"mine")
        with pytest.raises(TargetUnusable, match="appeared"):
            part.finish(overwrite=False)

    assert target.read_bytes() == b"mine"
    assert left_in(tmp_path) == ["film.mp4"]


def test_overwriting_replaces_at_the_very_end(tmp_path: Path) -> None:
    """The old file is whole until the new one is."""
    target = tmp_path / "taken"
    target.write_bytes(b"mine")
    with Part(target) as part:
        part.begin(FILM)
        part.write(BODY)
        before = target.read_bytes()
        part.finish(overwrite=True)

    assert before == b"mine"
    assert target.read_bytes() == BODY
    assert left_in(tmp_path) == ["taken"]


def test_a_folder_that_went_away_is_told(tmp_path: Path) -> None:
    """Where the place is gone at the end, the error names it."""
    folder = tmp_path / "gone"
    folder.mkdir()
    part = Part(folder / "film.mp4")
    part.open()
    part.begin(FILM)
    part.write(BODY)
    for found in folder.iterdir():
        found.unlink()
    folder.rmdir()
    with pytest.raises(TargetUnusable, match=r"film\.mp4"):
        part.finish(overwrite=False)
    part.close()


def test_a_disk_that_takes_no_more_is_told(tmp_path: Path) -> None:
    """A write that the system refuses becomes `TargetUnusable` with its reason, and nothing is left."""
    program = f"""
import resource, signal
from pathlib import Path
from gmi_video._part import Part
from gmi_video._range import Edition
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    with Part(Path({str(tmp_path / "film.mp4")!r})) as part:
        part.begin(Edition(url="u"))
        part.write(b"x" * 5000)
except Exception as error:
    print(type(error).__name__, error)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.startswith("TargetUnusable")
    assert "too large" in done.stdout
    assert left_in(tmp_path) == []


def test_names_may_be_as_long_as_names_get(tmp_path: Path) -> None:
    """The temporary name does not grow with the target's: 250 bytes of any script are a good name."""
    target = tmp_path / ("🦅" * 62 + ".mp4")
    with Part(target) as part:
        part.begin(FILM)
        part.write(BODY)
        part.finish(overwrite=False)

    assert target.read_bytes() == BODY


def test_a_part_that_cannot_be_opened_is_told(tmp_path: Path) -> None:
    """A folder that went away after the check is told when the file is made."""
    with pytest.raises(TargetUnusable, match="No such file"):
        Part(tmp_path / "gone" / "film.mp4").open()


def test_a_file_system_without_hard_links_still_takes_files(tmp_path: Path) -> None:
    """Where a link cannot be made the file is renamed, and a taken name is still respected."""
    program = f"""
import os
from pathlib import Path
from gmi_video._part import Part
from gmi_video._range import Edition
def no_links(*_, **__):
    raise PermissionError(1, "Operation not permitted")
os.link = no_links
folder = Path({str(tmp_path)!r})
for _ in range(2):
    try:
        with Part(folder / "film.mp4") as part:
            part.begin(Edition(url="u"))
            part.write(b"film")
            part.finish(overwrite=False)
    except Exception as error:
        print(type(error).__name__)
print(sorted(path.name for path in folder.iterdir()), (folder / "film.mp4").read_bytes())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.splitlines() == ["TargetUnusable", "['film.mp4'] b'film'"]
