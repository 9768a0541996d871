"""The checksums of a file as it is written."""

import base64
import hashlib
import sys
from types import ModuleType

import pytest

from gmi_video import _digests
from gmi_video._digests import Digests, fastest
from gmi_video._range import Edition

BODY = b"a film" * 1000
URL = "https://storage.example/film.mp4"


def told(digest: bytes) -> str:
    return base64.b64encode(digest).decode()


MD5 = told(hashlib.md5(BODY, usedforsecurity=False).digest())


def last_four(piece: bytes, value: int) -> int:
    """Stands for CRC-32C, for the package may not be installed: the last four bytes."""
    return int.from_bytes((value.to_bytes(4, "big") + bytes(piece))[-4:], "big")


@pytest.fixture(params=[True, False])
def installed(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> object:
    """Whether the package is there."""
    room = ModuleType("crc32c") if request.param else None
    if room is not None:
        room.crc32c = last_four  # type: ignore[attr-defined]  # a stand-in
    monkeypatch.setitem(sys.modules, "crc32c", room)
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


def test_the_fast_checksum_is_taken_where_there_is_one(installed: bool) -> None:
    """With the package crc32c it answers for the file; else the MD5 does, and a CRC alone proves nothing."""
    wrong_crc, wrong_md5 = told(b"nope"), told(b"x" * 16)
    right_crc = told(BODY[-4:])

    assert read(Edition(url=URL, crc32c=right_crc)).agrees
    assert read(Edition(url=URL, crc32c=wrong_crc)).agrees is not installed
    assert read(Edition(url=URL, md5=MD5)).agrees
    assert not read(Edition(url=URL, md5=wrong_md5)).agrees
    assert read(Edition(url=URL, md5=wrong_md5, crc32c=right_crc)).agrees is installed


def test_the_package_makes_the_checksum_that_the_storage_tells() -> None:
    """Of RFC 3720's example, in pieces of every kind."""
    pytest.importorskip("crc32c")
    made = fastest()
    for piece in (b"1234", bytearray(b"56"), memoryview(b"7890")[:2], memoryview(b"9").toreadonly()):
        made.update(piece)

    assert (made.name, made.digest().hex()) == ("crc32c", "e3069283")
