"""A file that is not whole: beside its target until it is, kept where it can be completed, never torn at its place."""

import hashlib
import json
import os
import stat
from pathlib import Path

import pytest
from attrs import evolve
from films import sample
from parts import BODY, FILM, URL, begun, cut, taken_up
from scene import left_in

from gmi_video._part import Part
from gmi_video._range import Edition


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
