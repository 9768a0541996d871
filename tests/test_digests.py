"""The checksums of a file as it is written."""

import base64
import hashlib
import sys
from types import ModuleType

import pytest

from gmi_video import _digests
from gmi_video._digests import Digests
from gmi_video._range import Edition

BODY = b"a film" * 1000
URL = "https://storage.example/film.mp4"


def told(digest: bytes) -> str:
    return base64.b64encode(digest).decode()


MD5 = told(hashlib.md5(BODY, usedforsecurity=False).digest())


class Sum:
    """Stands for google-crc32c, which is not installed for the tests: the last four bytes."""

    def __init__(self) -> None:
        self.seen = b""

    def update(self, piece: bytes) -> None:
        self.seen += piece

    def digest(self) -> bytes:
        return self.seen[-4:]


@pytest.fixture(params=["c", "python", None])
def implementation(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> object:
    """The package with its extension, without it, or not at all."""
    room = None
    if request.param is not None:
        room = ModuleType("google_crc32c")
        room.implementation, room.Checksum = request.param, Sum  # type: ignore[attr-defined]  # a stand-in
    monkeypatch.setitem(sys.modules, "google_crc32c", room)
    _digests._fast.cache_clear()
    yield request.param
    _digests._fast.cache_clear()


def read(edition: Edition) -> Digests:
    digests = Digests(edition)
    for place in range(0, len(BODY), 7):
        digests.update(BODY[place : place + 7])
    return digests


def test_the_sha_256_is_of_all_pieces() -> None:
    """Whatever else was told, users are told this one."""
    assert read(Edition(url=URL)).sha256 == hashlib.sha256(BODY).hexdigest()
    assert read(Edition(url=URL)).agrees


def test_the_fast_checksum_is_taken_where_it_is_fast(implementation: object) -> None:
    """With its extension google-crc32c answers for the file; else the MD5 does, and a CRC alone proves nothing."""
    fast = implementation == "c"
    wrong_crc, wrong_md5 = told(b"nope"), told(b"x" * 16)
    right_crc = told(BODY[-4:])

    assert read(Edition(url=URL, crc32c=right_crc)).agrees
    assert read(Edition(url=URL, crc32c=wrong_crc)).agrees is not fast
    assert read(Edition(url=URL, md5=MD5)).agrees
    assert not read(Edition(url=URL, md5=wrong_md5)).agrees
    assert read(Edition(url=URL, md5=wrong_md5, crc32c=right_crc)).agrees is fast
