"""Local files in a batch's payloads: what is sent of them, and what comes back."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from cargo import picture, placed

from batch.rundown import played, rivers, rows_of
from gmi_video import VideoRequest
from gmi_video.inputs import Inline


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
