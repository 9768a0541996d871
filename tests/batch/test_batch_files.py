"""Local files in a batch's payloads: what is sent of them, and what comes back."""

import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from cargo import picture, placed, puts

from batch.rundown import played, rivers, rows_of, stage
from gmi_video import VideoRequest
from gmi_video.batch import Batch
from gmi_video.catalog import PayloadWarning
from gmi_video.inputs import Inline
from gmi_video.testing import run


def test_a_request_that_nobody_held_comes_back_with_its_files(tmp_path: Path) -> None:
    """Read anew from the journal, what was given as a path or to be sent itself is that again, and went out as a link."""
    photo = placed(tmp_path, "a.png", picture(400, 400, "PNG"))

    def requests() -> Iterator[VideoRequest]:
        for image in (photo, Inline(photo)):
            yield VideoRequest("wan2.6-i2v", {"prompt": "fox", "img_url": image})

    end, _ = played(requests(), journal=tmp_path / "run.db")

    assert end.states == {"done": 2}
    assert [done.request.payload["img_url"] for done in sorted(end.ends, key=lambda done: done.number)] == [
        photo,
        Inline(photo),
    ]


def test_a_journal_says_where_a_file_is_from_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Saved into a folder that was named relative to some other one, a file is in the journal by its whole path."""
    monkeypatch.chdir(tmp_path)

    played(rivers(1), journal="run.db", out="videos")

    (row,) = rows_of(tmp_path / "run.db")
    assert [file.location for file in row.files] == [str(tmp_path / "videos/Veo3-0.mp4")]


@pytest.mark.parametrize("check", ["strict", "warn"])
def test_a_file_that_its_model_does_not_take_is_said_beforehand(tmp_path: Path, check: str) -> None:
    """The limits of the model's page are held against it before a byte moves, as `submit` does; others go on."""
    small, fine = (placed(tmp_path, f"{side}.png", picture(side, side, "PNG")) for side in (200, 400))
    wishes = [
        VideoRequest("wan2.6-i2v", {"prompt": "fox", "img_url": image}) for image in (small, fine, small)
    ]
    sent: list[int] = []

    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        end, charged = played(
            wishes,
            journal=tmp_path / "run.db",
            settings={"check": check},
            then=lambda sandbox: sent.append(puts(sandbox)),
        )

    said = "img_url is 200x200 pixels; 360 to 2000 a side are taken"
    if check == "warn":
        assert (end.states, sent, charged.total()) == ({"done": 3}, [2], 3)
        assert sum(said in str(one.message) for one in warned) == 2
    else:
        assert (end.states, sent, charged.total()) == ({"failed": 2, "done": 1}, [1], 1)
        assert all(said in str(done.error) for done in end.ends if done.error is not None)


def test_a_twin_that_is_gone_hides_nothing(tmp_path: Path) -> None:
    """Of two files of one content one was deleted: the other is held against the limits all the same."""
    small = [placed(tmp_path, f"{name}.png", picture(200, 200, "PNG")) for name in "ab"]
    wishes = [VideoRequest("wan2.6-i2v", {"prompt": path.name, "img_url": path}) for path in small]

    async def main() -> tuple[list[str], int, int]:
        async with (
            stage(check="strict") as (sandbox, session),
            Batch(session, journal=tmp_path / "run.db") as batch,
        ):
            await batch.add(wishes)
            small[0].unlink()
            states = [str(done.state) async for done in batch.run()]
            return states, puts(sandbox), len(sandbox.charges)

    assert run(main()) == (["failed", "failed"], 0, 0)


def test_a_doubt_that_is_an_error_is_one_lines_own(tmp_path: Path) -> None:
    """Where warnings are errors, a doubtful file ends its line and not the run."""
    small, fine = (placed(tmp_path, f"{side}.png", picture(side, side, "PNG")) for side in (200, 400))
    wishes = [VideoRequest("wan2.6-i2v", {"prompt": "fox", "img_url": image}) for image in (small, fine)]

    with warnings.catch_warnings():
        warnings.simplefilter("error", PayloadWarning)
        end, charged = played(wishes, journal=tmp_path / "run.db")

    assert (end.states, charged.total(), end.error) == ({"failed": 1, "done": 1}, 1, None)


def test_a_file_that_went_out_before_may_be_gone(tmp_path: Path) -> None:
    """Its link is in the journal: a line that waits is sent by it, whatever lies in the file's place by now."""
    photo = placed(tmp_path, "a.png", picture(400, 400, "PNG"))
    first, second = (
        VideoRequest("wan2.6-i2v", {"prompt": name, "img_url": photo}) for name in ("fox", "owl")
    )

    async def main() -> tuple[list[str], int]:
        states: list[str] = []
        async with stage(check="strict") as (sandbox, session):
            async with Batch(session, journal=tmp_path / "run.db") as batch:
                await batch.add([first])
                states += [done.state async for done in batch.run()]
                await batch.add([second])
                photo.write_bytes(picture(200, 200, "PNG"))
                states += [done.state async for done in batch.run()]
            return states, puts(sandbox)

    assert run(main()) == (["done", "done"], 1)
