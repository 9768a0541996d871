"""Parts of one film, begun, cut and taken up again."""

import base64
import hashlib
from pathlib import Path

from films import large

from gmi_video._part import Part
from gmi_video._range import Edition

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
