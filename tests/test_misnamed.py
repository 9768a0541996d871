"""Files whose link promises another type than they are: a name of ours says what the bytes are."""

from asyncio import StreamWriter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from films import film, still
from peers import Peer, http, peer
from scene import left_in

from gmi_video import Media, Saved, Session, Settings, errors
from gmi_video._file_type import HEAD, extension_for
from gmi_video.testing import run


def fetched(
    body: bytes, name: str = "film.mp4", *, then: Callable[[Saved], object] = str, **where: Any
) -> list[Saved]:
    """The file behind a link of that name, downloaded twice; what is done with the first before the second."""

    async def give(_: Peer, writer: StreamWriter, __: str) -> None:
        writer.write(http(body))

    async def main() -> list[Saved]:
        async with peer(give) as it, Session(Settings(api_key="key", base_url=it.url)) as session:
            media = Media(f"{it.url}/{name}")
            then(first := await session.download(media, **where))
            return [first, await session.download(media, **where)]

    return run(main())


@pytest.mark.parametrize(
    ("kind", "extension"),
    [("png", "png"), ("jpeg", "jpg"), ("webp", "webp"), ("gif", "gif"), ("avif", "avif"), ("webm", "webm")],
)
def test_a_name_of_ours_says_what_the_bytes_are(kind: str, extension: str, tmp_path: Path) -> None:
    """A picture behind a link of a video is saved as a picture, and found again the second time."""
    body = film(kind) if kind == "webm" else still(kind)
    first, second = fetched(body, into=tmp_path)

    assert left_in(tmp_path) == [first.path.name]
    assert first.path.suffix == f".{extension}"
    assert first.path.read_bytes() == body
    assert second == first


def test_another_file_of_the_right_name_is_not_touched(tmp_path: Path) -> None:
    """Where a file of the name that the bytes ask for is there, it stays, and the error names it."""
    with pytest.raises(errors.TargetUnusable, match=r"\.png.*appeared"):
        fetched(still("png"), into=tmp_path, then=lambda saved: saved.path.write_bytes(b"mine"))

    (name,) = left_in(tmp_path)
    assert (tmp_path / name).read_bytes() == b"mine"


def test_overwriting_replaces_the_file_of_the_right_name(tmp_path: Path) -> None:
    """With `overwrite` the file under the name that the bytes ask for is replaced."""
    _, second = fetched(
        still("png"), into=tmp_path, overwrite=True, then=lambda saved: saved.path.write_bytes(b"mine")
    )

    assert left_in(tmp_path) == [second.path.name]
    assert second.path.read_bytes() == still("png")


def test_a_name_that_was_given_is_kept(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The user's word for a file that was paid for is obeyed; that it says otherwise is logged."""
    saved, _ = fetched(still("png"), to=tmp_path / "eagle.mp4", overwrite=True)

    assert saved.path == tmp_path / "eagle.mp4"
    assert left_in(tmp_path) == ["eagle.mp4"]
    assert "'eagle.mp4' is saved under the name that was given for it, and it is a PNG picture" in caplog.text


@pytest.mark.parametrize("name", ["eagle", "eagle.tmp", "eagle.mov", "eagle.M4V", "eagle.mp4"])
def test_a_name_that_agrees_is_no_matter(name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is logged of names that promise what came, or nothing."""
    fetched(film("mp4"), to=tmp_path / name, overwrite=True)

    assert left_in(tmp_path) == [name]
    assert caplog.text == ""


@pytest.mark.parametrize(
    ("extension", "head", "wanted"),
    [
        ("mov", film("mov"), "mov"),
        ("mp4", film("mov"), "mp4"),
        ("mkv", film("mkv"), "mkv"),
        ("m4a", film("mp4"), "m4a"),
        ("jpg", still("jpeg"), "jpg"),
        ("jpeg", still("jpeg"), "jpeg"),
        ("png", still("jpeg"), "jpg"),
        ("mp4", b"ID3" + bytes(20), "mp3"),
        ("aac", b"\xff\xf1" + bytes(20), "aac"),
        ("mp4", b"%PDF-1.7", "mp4"),
        ("mp4", b"", "mp4"),
    ],
)
def test_an_extension_gives_way_to_known_bytes_alone(extension: str, head: bytes, wanted: str) -> None:
    """Every spelling of a type agrees with it, and bytes that nobody here knows change nothing."""
    assert extension_for(extension, head[:HEAD]) == wanted
