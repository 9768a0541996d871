"""Where the files of an outcome go: proven writable before money is spent, and never in the way afterwards."""

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from films import large, sample
from scene import left_in, seen

from gmi_video import Media, Outcome, Saved, Snapshot
from gmi_video._part import Part
from gmi_video._range import Edition
from gmi_video._saving import Place, Target
from gmi_video.errors import ConfigurationError, LinkExpired, TargetUnusable
from gmi_video.testing import run

FILM = Media("https://storage.example/film.mp4")
STILL = Media("https://storage.example/still.png", kind="image")
DONE: Snapshot = evolve(seen("r-1", "success"), outcome=Outcome(media=(FILM, STILL)))


OURS, THEIRS = sample(), large(150_000)


def write(target: Path, body: bytes, *, overwrite: bool) -> None:
    """A file, unless its name is taken."""
    if target.exists() and not overwrite:
        message = f"{target.name} is there"
        raise TargetUnusable(message)
    target.write_bytes(body)


class Shelf:
    """Saves by writing a film, as `download` would; refuses a taken name."""

    def __init__(self, *, meanwhile: Path | None = None, refuse: Exception | None = None) -> None:
        self.meanwhile = meanwhile
        self.refuse = refuse
        self.saved: list[str] = []

    async def __call__(self, media: Media, target: Target) -> Saved:
        await asyncio.sleep(0)
        if self.meanwhile is not None:
            theirs, self.meanwhile = self.meanwhile, None
            theirs.write_bytes(THEIRS)
        if self.refuse is not None:
            raise self.refuse
        path = target.path
        if target.beside is not None and path.exists() and not target.overwrite:
            path = target.beside
        write(path, OURS, overwrite=target.overwrite)
        self.saved.append(path.name)
        return Saved(path=path, size=1, sha256="", media=media)


def save(shelf: Shelf, *, paid: bool = False, snapshot: Snapshot = DONE, **where: Any) -> tuple[Saved, ...]:
    """Checks a place and saves an outcome there."""

    async def main() -> tuple[Saved, ...]:
        place = await Place.checked(where.pop("to", None), where.pop("into", None), **where)
        return await (place.after_payment() if paid else place).save(snapshot, shelf)

    return run(main())


def test_nowhere_saves_nothing() -> None:
    """Without a target the media stay remote."""
    shelf = Shelf()

    assert (save(shelf), shelf.saved) == ((), [])


def test_to_saves_the_first_and_into_saves_all(tmp_path: Path) -> None:
    """`to` names one file; `into` a folder, made if missing, in which files are named by their request."""
    first = save(Shelf(), to=tmp_path / "mine.mov")
    every = save(Shelf(), into=tmp_path / "a" / "b")

    assert [saved.path.name for saved in first] == ["mine.mov"]
    assert [saved.media for saved in every] == [FILM, STILL]
    assert left_in(tmp_path / "a") == ["r-1-2.png", "r-1.mp4"]


def test_both_is_one_too_many(tmp_path: Path) -> None:
    """A file and a folder at once are refused."""
    with pytest.raises(ConfigurationError, match="not both"):
        save(Shelf(), to=tmp_path / "a", into=tmp_path)


@pytest.mark.parametrize("to", ["", "."])
def test_an_empty_name_is_not_nowhere(to: str) -> None:
    """A name that turned out empty is refused; it does not mean that nothing shall be saved."""
    with pytest.raises(TargetUnusable):
        save(Shelf(), to=to)


@pytest.mark.parametrize("given", [b"film.mp4", 5, ["film.mp4"]])
@pytest.mark.parametrize("name", ["to", "into"])
def test_what_is_no_path_is_told_before_anything_is_paid(name: str, given: Any) -> None:
    with pytest.raises(ConfigurationError, match=f"{name}=… takes a path, as text or a pathlib.Path, not "):
        run(Place.checked(**{"to": None, "into": None, name: given}))


def test_an_empty_folder_name_is_the_current_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`into=""` is the folder that paths without a folder are in."""
    monkeypatch.chdir(tmp_path)
    save(Shelf(), into="")

    assert left_in(tmp_path) == ["r-1-2.png", "r-1.mp4"]


def test_a_file_of_this_request_is_that_file(tmp_path: Path) -> None:
    """What was saved before is not fetched again: running twice finds it, digest and all."""
    save(Shelf(), into=tmp_path)
    shelf = Shelf()
    again = save(shelf, into=tmp_path)

    assert shelf.saved == []
    assert again[0].size == len(OURS)
    assert len(again[0].sha256) == 64


@pytest.mark.parametrize("body", [b"", OURS[:9000], b"<html>502</html>", bytes(3000)])
def test_a_torn_file_of_that_name_is_told_and_let_be(body: bytes, tmp_path: Path) -> None:
    """What another tool left half is never handed out for the video, and never replaced unasked."""
    target = tmp_path / "r-1.mp4"
    target.write_bytes(body)
    with pytest.raises(TargetUnusable, match=r"r-1\.mp4.*is not the one.*say overwrite"):
        save(Shelf(), into=tmp_path)

    assert target.read_bytes() == body
    save(Shelf(), into=tmp_path, overwrite=True)
    assert target.read_bytes() == OURS


def test_the_second_name_of_a_saved_file_is_cleared_away(tmp_path: Path) -> None:
    """A process killed between the two steps of a rename leaves its part: whoever finds the file removes it."""
    save(Shelf(), into=tmp_path)
    target = tmp_path / "r-1.mp4"
    with Part(target) as part:
        part.begin(Edition(url="u", etag='"one"'))
        (path,) = tmp_path.glob(".*.part")
    os.link(target, path)
    save(Shelf(), into=tmp_path)

    assert left_in(tmp_path) == ["r-1-2.png", "r-1.mp4"]
    assert target.read_bytes() == OURS


def test_overwriting_fetches_again(tmp_path: Path) -> None:
    """With `overwrite` the file is fetched in any case."""
    save(Shelf(), into=tmp_path)
    shelf = Shelf()
    save(shelf, into=tmp_path, overwrite=True)

    assert shelf.saved == ["r-1.mp4", "r-1-2.png"]


def test_a_file_that_another_process_saved_meanwhile_is_that_file(tmp_path: Path) -> None:
    """Two processes that resume one request into one folder both get its file."""
    (found, _) = save(Shelf(meanwhile=tmp_path / "r-1.mp4"), into=tmp_path)

    assert found.path.read_bytes() == THEIRS
    assert found.size == len(THEIRS)


def test_a_folder_in_the_way_is_told(tmp_path: Path) -> None:
    """What is not a file cannot be the request's file."""
    (tmp_path / "r-1.mp4").mkdir()
    with pytest.raises(TargetUnusable):
        save(Shelf(), into=tmp_path)


def test_after_payment_a_taken_name_is_no_reason_to_fail(tmp_path: Path) -> None:
    """A file that appears between the submission and the end stays, and the video is saved beside it."""
    target = tmp_path / "eagle.mp4"
    (found,) = save(Shelf(meanwhile=target), to=target, paid=True)

    assert found.path.name == "eagle-r-1.mp4"
    assert target.read_bytes() == THEIRS


@pytest.mark.parametrize("name", ["a" * 251 + ".mp4", "\u00e9" * 125 + ".mp4"])
def test_the_other_name_is_no_longer_than_names_may_be(name: str, tmp_path: Path) -> None:
    """A video that was paid for is saved beside a name of any length."""
    (found,) = save(Shelf(meanwhile=tmp_path / name), to=tmp_path / name, paid=True)

    assert found.path.name.endswith("-r-1.mp4")
    assert len(os.fsencode(found.path.name)) in {254, 255}


@pytest.mark.parametrize("what", ["folder", "pipe", "link"])
@pytest.mark.parametrize("overwrite", [False, True])
def test_what_is_no_file_is_not_replaced(what: str, overwrite: bool, tmp_path: Path) -> None:
    """A device, a pipe, a folder or a link to nowhere in the file's place is told before a byte is fetched."""
    place = tmp_path / "r-1.mp4"
    if what == "folder":
        place.mkdir()
    elif what == "pipe":
        os.mkfifo(place)
    else:
        place.symlink_to(tmp_path / "nowhere")
    shelf = Shelf()

    with pytest.raises(TargetUnusable, match="no file"):
        save(shelf, into=tmp_path, overwrite=overwrite)
    if overwrite:
        with pytest.raises(TargetUnusable, match=r"no file|it is a folder"):
            save(shelf, to=place, overwrite=True)

    assert shelf.saved in ([], ["r-1-2.png"])
    assert place.is_symlink() or not place.is_file()


def test_without_payment_a_taken_name_is_told(tmp_path: Path) -> None:
    """`resume` to a name that is taken meanwhile fails plainly: calling it again costs nothing."""
    target = tmp_path / "eagle.mp4"
    with pytest.raises(TargetUnusable):
        save(Shelf(meanwhile=target), to=target)

    assert left_in(tmp_path) == ["eagle.mp4"]


@pytest.mark.parametrize("error", [LinkExpired("dead"), TargetUnusable("the disk is full")])
def test_what_else_goes_wrong_is_raised(error: Exception, tmp_path: Path) -> None:
    """Another name is tried only where the name was the trouble."""
    with pytest.raises(type(error)):
        save(Shelf(refuse=error), paid=True, to=tmp_path / "a.mp4")
    with pytest.raises(type(error)):
        save(Shelf(refuse=error), paid=True, into=tmp_path)

    assert left_in(tmp_path) == []


def test_an_outcome_without_media_saves_nothing_into_a_folder(tmp_path: Path) -> None:
    """There is nothing to save where there is no outcome."""
    assert save(Shelf(), into=tmp_path, snapshot=seen("r-1", "success", links=False)) == ()
