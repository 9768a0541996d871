"""Whether a file is whole, by what its own container says: cut anywhere, it is found out."""

import gzip
import struct
from contextlib import suppress

import pytest
from films import FILMS, HIGH, STILLS, WIDE, film, large, sample, still
from hypothesis import given
from hypothesis import strategies as st

from gmi_video._container import examine, is_text
from gmi_video._torn import At, Torn
from gmi_video.records import MediaKind

UNPROVEN = {"live", "gif"}
"""Kinds whose end cannot be told from a cut."""


def at_of(told: bytes) -> At:
    return lambda place, count: told[place : place + count]


def examined(
    told: bytes, *, kind: MediaKind = "video", measured: bool = False, stated: tuple[int, int] | None = None
) -> None:
    examine(at_of(told), len(told), kind=kind, measured=measured, stated=stated)


def body(name: str) -> tuple[bytes, MediaKind]:
    return (film(name), "video") if name in FILMS else (still(name), "image")


@pytest.mark.parametrize("name", [*FILMS, *STILLS])
def test_a_whole_file_passes_and_its_picture_has_the_stated_size(name: str) -> None:
    """Every kind is read to its end, upright or turned; another size is refused."""
    told, kind = body(name)
    examined(told, kind=kind, measured=True, stated=(WIDE, HIGH))
    examined(told, kind=kind, measured=True, stated=(HIGH, WIDE))

    if name != "avif":
        with pytest.raises(Torn, match=f"{WIDE} × {HIGH}, and 640 × 480 was stated"):
            examined(told, kind=kind, measured=True, stated=(640, 480))


@pytest.mark.parametrize("name", [*FILMS, *STILLS])
def test_a_file_cut_at_any_byte_is_refused_where_nobody_told_its_length(name: str) -> None:
    """Not one prefix of any kind passes for the whole; what cannot prove its end is not taken at all."""
    told, kind = body(name)
    passed = []
    for end in range(len(told) + (name in UNPROVEN)):
        try:
            examined(told[:end], kind=kind)
        except Torn:
            continue
        passed.append(end)

    assert passed == []
    if name not in UNPROVEN:
        examined(told, kind=kind)


@pytest.mark.parametrize("name", ["mp4", "fast", "mov", "pieces", "webm", "mkv", "png", "jpeg", "webp"])
def test_a_file_that_was_stored_torn_is_refused_though_its_length_is_right(name: str) -> None:
    """A length that was told and kept does not make a video of half a video."""
    told, kind = body(name)
    for share in (0.3, 0.5, 0.9):
        with pytest.raises(Torn):
            examined(told[: int(len(told) * share)], kind=kind, measured=True)


@pytest.mark.parametrize(
    "told",
    [
        b"<!DOCTYPE html><html><body>502 Bad Gateway</body></html>",
        b"\xef\xbb\xbf \r\n<html>",
        "<p>ошибка</p>".encode(),
        "ошибка".encode("cp1251"),
        b"<?xml version='1.0'?><Error><Code>NoSuchKey</Code></Error>",
        b'{"error": "not found"}',
        b"upstream connect error or disconnect/reset before headers",
        "\ufeff<!DOCTYPE html><html><body>502</body></html>".encode("utf-16-le"),
        "\ufeffabgelaufen: ошибка".encode("utf-16-be"),
        "<html><body>502</body></html>".encode("utf-16-le"),
        gzip.compress(b"<html><body>502 Bad Gateway</body></html>", mtime=0),
        b"%PDF-1.7\n%\xb5\xb5\x00",
        b"",
        b"\n",
    ],
)
def test_a_page_is_never_a_video(told: bytes) -> None:
    """Whatever type and length it came with, what is written for people or programs is no media."""
    kinds: tuple[MediaKind, ...] = ("video", "image", "audio")
    for kind in kinds:
        with pytest.raises(Torn):
            examined(told, kind=kind, measured=True)


def test_sound_is_no_video() -> None:
    """An MP4 without a picture is taken where sound is meant, and refused where a video is."""
    hushed = sample().replace(b"vide", b"soun")
    examined(hushed, kind="audio")

    with pytest.raises(Torn, match="no video track"):
        examined(hushed, kind="video")


def test_a_track_without_a_picture_is_refused() -> None:
    """A video track has to say how large its picture is."""
    blank = bytearray(film("mp4"))
    entry = blank.index(b"stsd") + 12
    blank[entry + 32 : entry + 36] = bytes(4)

    with pytest.raises(Torn, match="no picture"):
        examined(bytes(blank), measured=True)


def test_an_index_that_names_data_beyond_the_end_is_refused() -> None:
    """A film whose index stands first may lose whole boxes of data at its end: its index tells."""
    told = film("fast")
    cut = told[: told.index(b"mdat") - 4]
    empty = cut + struct.pack(">I4s", 8, b"mdat")

    with pytest.raises(Torn, match="beyond its end"):
        examined(empty, measured=True)


def test_what_lies_behind_the_end_is_let_be_where_it_is_padding() -> None:
    """Zeros behind the last box, and what cameras write behind a JPEG, are no fault."""
    examined(film("mp4") + bytes(100), measured=True)
    examined(film("webm") + bytes(100), measured=True)
    examined(still("jpeg") + b"maker's notes", kind="image", measured=True)
    examined(large(100_000))


@pytest.mark.parametrize("told", [bytes(3) + b"\1" + bytes(3000), b"\x00\x01\x02\x03 nobody knows" * 50])
def test_what_does_not_begin_as_videos_do_is_none(told: bytes) -> None:
    """A length that was told and kept makes no video of zeros, of noise, or of a page behind a zero."""
    with pytest.raises(Torn, match="nothing that begins as videos do"):
        examined(told, measured=True)


@pytest.mark.parametrize("kind", ["image", "audio", "video"])
@pytest.mark.parametrize(
    ("told", "words"),
    [
        (bytes(3000), "nothing but noughts"),
        (b"\x7fELF\x02\x01\x01" + bytes(600), "a program"),
        (b"7z\xbc\xaf\x27\x1c\0\4" * 90, "a 7z archive"),
        (b"\n<!DOCTYPE html>\0<p>busy</p>" * 20, "a page or a message"),
        (b"\xef\xbb\xbf\x1b <HTML><body>" + bytes(600), "a page or a message"),
    ],
)
def test_what_is_surely_no_media_is_none_of_any_kind(told: bytes, words: str, kind: MediaKind) -> None:
    """A type and a length that were told make no picture and no sound of a page, whatever odd byte is in it."""
    with pytest.raises(Torn, match=words):
        examined(told, kind=kind, measured=True)


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        (b"\x00\x01\x02\x03 some new picture" * 50, "image"),
        (b"\xff\xf1\x50\x80\x00\x1f some sound" * 50, "audio"),
        (b"FLV\x01\x05\x00\x00\x00\x09" * 50, "video"),
        ((b"G\x40\x00\x10" + bytes(184)) * 5, "video"),
    ],
)
def test_a_kind_that_is_not_read_is_taken_where_its_length_was_told(told: bytes, kind: MediaKind) -> None:
    """What may be media is not thrown away because nobody here reads it; without a length that is not enough."""
    examined(told, kind=kind, measured=True)

    with pytest.raises(Torn, match="nothing proves"):
        examined(told, kind=kind)


@given(st.sampled_from(["mp4", "pieces", "webm", "live", "png", "jpeg", "webp"]), st.data())
def test_bytes_that_are_wrong_anywhere_raise_nothing_else(name: str, data: st.DataObject) -> None:
    """A reader of foreign bytes ends, and ends in its one error or none."""
    told, kind = body(name)
    changed = bytearray(told)
    for _ in range(data.draw(st.integers(1, 8))):
        changed[data.draw(st.integers(0, len(told) - 1))] = data.draw(st.integers(0, 255))
    with suppress(Torn):
        examined(bytes(changed), kind=kind, measured=True)


@given(st.binary(max_size=200))
def test_any_bytes_can_be_looked_at(told: bytes) -> None:
    """Also bytes that are nothing."""
    is_text(told)
    for first in (
        b"",
        b"\0\0\0\x18ftyp",
        b"\x1aE\xdf\xa3",
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff",
        b"RIFF",
        b"GIF89a",
    ):
        with suppress(Torn):
            examined(first + told)


def test_what_phones_and_recorders_write_is_whole() -> None:
    """A clip of any length behind a JPEG, a sound whose writer could not go back, a picture of one pixel."""
    examined(still("jpeg") + b"\0motion" * 30_000, kind="image", measured=True)
    for length in (b"\x24\xf0\xff\x7f", b"\xff\xff\xff\x7f"):
        examined(b"RIFF" + length + b"WAVEfmt " + bytes(600), kind="audio", measured=True)
    tiny = b"WEBPVP8L" + struct.pack("<I", 6) + b"\x2f\0\0\0\0\x88"
    examined(b"RIFF" + struct.pack("<I", len(tiny)) + tiny, kind="image", measured=True)


def test_a_jpeg_whose_end_is_nowhere_is_torn() -> None:
    """However much follows: within its picture nothing says that it is over."""
    whole = still("jpeg")

    with pytest.raises(Torn, match="its end is missing"):
        examined(whole[: len(whole) // 2] + bytes(100_000), kind="image", measured=True)


@pytest.mark.parametrize(
    "told",
    [
        b"ID3\4\0\0\0\0\0\x0a" + bytes(10) + b"\xff\xfb\x90\0" * 200,
        b"\xff\xfb\x90\0" + bytes(800),
        b"fLaC\0\0\0\x22" + bytes(800),
        b"\xff\xf1\x50\x80" + bytes(800),
    ],
)
def test_a_sound_behind_a_link_that_says_nothing_is_whole(told: bytes) -> None:
    """The record's kind is a guess there, and what was paid for is not refused for it; nor is a cut one believed."""
    examined(told, measured=True)
    with pytest.raises(Torn, match="nothing proves that it is whole"):
        examined(told, measured=False)


def test_a_sound_in_boxes_needs_no_picture() -> None:
    """M4A is an MP4 without a video track, and says so."""
    whole = film("mp4")
    silent = whole.replace(b"vide", b"soun")

    with pytest.raises(Torn, match="no video track"):
        examined(silent, measured=True)
    examined(silent.replace(b"ftypisom", b"ftypM4A ", 1), measured=True)
