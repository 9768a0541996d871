"""Downloads that are led elsewhere: by redirects, and by links that are not followed."""

import asyncio
from pathlib import Path

import pytest
from fetching import FILM, PATIENT, WISH, saved, storage
from peers import Peer, http, saying, silent
from scene import left_in

from gmi_video import Media, errors
from gmi_video._storage import HOPS
from gmi_video.testing import run


def test_redirects_are_followed_to_the_file(tmp_path: Path) -> None:
    """Up to five hops, each vetted, none of them with credentials."""

    async def hops(it: Peer, writer: asyncio.StreamWriter, head: str) -> None:
        if len(it.heads) <= HOPS:
            writer.write(http(b"", "302 Found", f"Location: /hop-{len(it.heads)}"))
        else:
            writer.write(http(FILM))

    async def main() -> None:
        async with storage(hops, keeps=True) as (it, downloads):
            await saved(it, downloads, tmp_path)

        assert [head.split()[1] for head in it.heads][1:] == [f"/hop-{n}" for n in range(1, HOPS + 1)]

    run(main())
    assert (tmp_path / "film.mp4").read_bytes() == FILM


@pytest.mark.parametrize(
    ("location", "error"),
    [
        ("/round", "more than 5 times"),
        ("http://storage.example/film.mp4", "only https"),
        ("file:///etc/passwd", "names no host"),
        ("https://10.0.0.1:8443/film.mp4", "private address"),
        ("https://169.254.169.254/latest/meta-data", "private address"),
        ("https://[fd00::1]/film.mp4", "private address"),
    ],
)
def test_a_redirect_to_where_it_must_not_go_is_refused(location: str, error: str, tmp_path: Path) -> None:
    """Rings, other schemes and private addresses end the download, and nothing is kept."""

    async def main() -> None:
        away = saying(http(b"", "307 Away", f"Location: {location}"))
        async with storage(away, keeps=True) as (it, downloads):
            with pytest.raises(errors.UnsafeURL, match=error):
                await saved(it, downloads, tmp_path)

    run(main())
    assert left_in(tmp_path) == []


def test_an_unsafe_link_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    """A link that is not followed costs neither a connection nor a file."""

    async def main() -> None:
        async with storage(silent) as (it, downloads):
            with pytest.raises(errors.UnsafeURL):
                await downloads.save(
                    Media("ftp://a.example/film.mp4"), tmp_path / "x", wish=WISH, patience=PATIENT
                )

        assert it.connections == 0

    run(main())
