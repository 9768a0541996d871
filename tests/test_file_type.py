"""What a file is by its bytes, how large a picture is, how long a clip lasts: read from real files."""

import random
import re
import struct
import wave
from base64 import b64encode
from collections.abc import Callable
from io import BytesIO
from textwrap import wrap
from typing import Any

import av
import pytest
from cargo import picture
from hypothesis import given
from hypothesis import strategies as st

from gmi_video import _picture
from gmi_video._duration import seconds_of
from gmi_video._file_type import HEAD, MP3, MP4, UPLOADED, WAV, named, objection, said_by, seen_as, telling
from gmi_video._picture import picture_of


def clip(form: str, codec: str, seconds: float, **options: str) -> bytes:
    """A real file with a little sound in it."""
    made = BytesIO()
    with av.open(made, "w", format=form, options=options) as container:
        stream: Any = container.add_stream(codec, rate=44_100)
        for _ in range(int(seconds * 44_100 / 1152)):
            frame = av.AudioFrame(format="s16p", layout="mono", samples=1152)
            frame.sample_rate = 44_100
            for plane in frame.planes:
                plane.update(bytes(plane.buffer_size))
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return made.getvalue()


def sound(seconds: float, *, before: bytes = b"") -> bytes:
    """A WAV file, with a chunk before its sound."""
    made = BytesIO()
    with wave.open(made, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(b"\0\0" * int(seconds * 8000))
    body = made.getvalue()
    return body[:12] + before + body[12:]


def lasts(kind: Any, body: bytes) -> float | None:
    return seconds_of(kind, lambda at, length: body[at : at + length], len(body))


def sides(body: bytes) -> tuple[int, int] | None:
    return _picture.sides(lambda at, length: body[at : at + length])


@pytest.mark.parametrize(
    ("body", "name"),
    [
        (picture(), "jpeg"),
        (picture(form="PNG"), "png"),
        (picture(form="GIF"), "gif"),
        (picture(form="WEBP"), "webp"),
        (sound(0.1), "wav"),
        (clip("mp4", "aac", 1), "mp4"),
        (clip("mov", "aac", 1), "mp4"),
        (clip("mp3", "libmp3lame", 1), "mp3"),
        (clip("mp3", "libmp3lame", 1, id3v2_version="0", write_xing="0"), "mp3"),
        (b"\x1aE\xdf\xa3\x9fB\x86\x81", "webm"),
        (b"OggS\0\x02", "ogg"),
        (b"fLaC\0\0\0\x22", "flac"),
        (b"\0\0\0\x1cftypheic", "heic"),
        (b"\0\0\0\x1cftypavif", "avif"),
        (b"\0\0\0\x1cftypavci", "heic"),
        (b"\0\0\0\x1cftypcrx ", "cr3"),
        (b"\0\0\0\x1cftypM4A ", "m4a"),
        (b"\0\0\0\x08wide\0\0\x1af", "mp4"),
        (b"\xff\xf1\x50\x80", "aac"),
        (b"RIFF\0\0\0\0AVI LIST", "avi"),
        (b"%PDF-1.7", "pdf"),
    ],
)
def test_a_file_is_what_its_bytes_say(body: bytes, name: str) -> None:
    """Real files of every common kind are known by their first bytes, those that are not taken as well."""
    found = seen_as(body[:HEAD])

    assert found is not None
    assert found.name == name


@pytest.mark.parametrize(
    ("tagged", "name"),
    [
        (b"\xff\xfb\x90\0" + bytes(20), "mp3"),
        (bytes(5000) + b"\xff\xfb\x90\0", "mp3"),
        (b"odd" + (b"\xff\xfb\x10\xc0" + bytes(100)) * 2, "mp3"),
        (b"fLaC\0\0\0\x22", "flac"),
        (b"\xff\xf1\x50\x80" + bytes(20), "aac"),
        (b"", None),
        (b"<html>", None),
    ],
)
def test_a_tag_says_nothing_of_what_it_is_on(tagged: bytes, name: str | None) -> None:
    """ID3 stands before sounds of every kind, and before none: what is behind it is the file."""
    body = tag(20) + tag(300) + tagged

    found = seen_as(telling(lambda at, length: body[at : at + length]))

    assert getattr(found, "name", None) == name


@pytest.mark.parametrize(
    ("name", "like"),
    [
        ("a.bmp", "image/bmp"),
        ("a.TXT", "text/plain"),
        ("a.html", "text/html"),
        ("a.jpg", "a JPEG picture"),
        ("a.png", None),
        ("a", None),
        ("a.bin", None),
        ("upload.tmp", None),
        ("a.b.part", None),
    ],
)
def test_a_name_that_promises_something_else_is_an_objection(name: str, like: str | None) -> None:
    """Whatever else it promises; a name that promises nothing is none."""
    why = objection(name, picture(form="PNG")[:HEAD])

    assert why == (f"it is named like {like} and is a PNG picture: rename it" if like else None)


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"\xff",
        b"\xff\xd8",
        b"<html>",
        b"{}",
        b"PK\x03\x04",
        b"MZ",
        b"\xff\xfe<\0h\0",
        b"RIFF\0\0\0\0",
        b"The wide river flows",
        b"Get free of the city",
        b"Big skip in the harbour",
        b"\0" * 16,
    ],
)
def test_what_is_no_media_is_no_type(head: bytes) -> None:
    """Pages, archives, programs, texts in UTF-16 and beginnings cut short are no media."""
    assert seen_as(head) is None


def test_a_name_promises_a_type() -> None:
    """Extensions count in any case; names without one, and unknown ones, promise nothing."""
    assert [
        getattr(said_by(name), "name", None) for name in ("a.JPG", "b.tar.png", "c", "d.tmp", ".mp4")
    ] == [
        "jpeg",
        "png",
        None,
        None,
        "mp4",
    ]
    assert [getattr(named(word), "name", None) for word in ("jpg", "JPEG", "mov", "gif", "")] == [
        "jpeg",
        "jpeg",
        None,
        None,
        None,
    ]


@pytest.mark.parametrize("size", [(1, 1), (640, 361), (2000, 12)])
@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
def test_the_sides_of_a_picture_are_read(form: str, size: tuple[int, int]) -> None:
    """Width and height as the encoder was told them, from the header alone."""
    assert sides(picture(*size, form)) == size


def test_the_sides_of_every_webp_are_read() -> None:
    """Lossless and extended WebP have their sides elsewhere than lossy ones."""
    from PIL import Image  # noqa: PLC0415

    for options in ({"lossless": True}, {"exif": b"Exif\0\0MM\0*\0\0\0\x08\0\0"}):
        made = BytesIO()
        Image.new("RGB", (321, 123)).save(made, "WEBP", **options)
        assert sides(made.getvalue()) == (321, 123), options


def test_a_jpeg_with_a_large_profile_is_read() -> None:
    """What a camera writes before the frame header, fill bytes included, is stepped over, however much it is."""
    body = picture(801, 602)
    profile = b"\xff\xe2" + struct.pack(">H", 65_535) + bytes(65_533)
    whole = body[:2] + profile * 30 + b"\xff\x01" + b"\xff\xff\xff" + body[3:]
    inline = picture_of("data:image/jpeg;base64," + b64encode(whole).decode())

    assert sides(whole) == (801, 602)
    assert inline == _picture.Picture(len(whole), 801, 602)
    assert sides(body[:2] + profile * 3) is None
    assert sides(body[:2] + b"\xff\xda" + body[2:]) is None


@pytest.mark.parametrize("spare", [0, 1, 2])
def test_a_picture_within_a_payload_has_its_own_size(spare: int) -> None:
    """Base64 is a third longer, and what fills its last group is no byte of the picture; nor is a line break."""
    body = picture() + bytes(spare)
    text = b64encode(body).decode()

    assert picture_of(text) == _picture.Picture(len(body), 800, 600)
    assert picture_of("data:image/png;base64," + "\r\n".join(wrap(text, 76))) == picture_of(text)


@pytest.mark.parametrize("seconds", [0.5, 3.0, 12.25])
def test_a_wav_lasts_as_long_as_it_says(seconds: float) -> None:
    """By its data and its byte rate, whatever chunks stand before."""
    odd = b"LIST" + struct.pack("<I", 3) + b"abc\0"

    assert lasts(WAV, sound(seconds)) == pytest.approx(seconds)
    assert lasts(WAV, sound(seconds, before=odd)) == pytest.approx(seconds)


@pytest.mark.parametrize("options", [{}, {"write_xing": "0"}, {"id3v2_version": "0"}])
def test_an_mp3_lasts_as_long_as_its_frames(options: dict[str, str]) -> None:
    """By the encoder's own count of frames, or by the rate of the first where there is none."""
    assert lasts(MP3, clip("mp3", "libmp3lame", 5, **options)) == pytest.approx(5, abs=0.2)


def frames(body: bytes) -> bytes:
    """The frames of an MP3, without what stands before and behind them."""
    return body[body.index(b"\xff\xfb") :]


@pytest.mark.parametrize(
    "dress",
    [
        lambda sound: sound,
        lambda sound: tag(500) + tag(70_000) + sound,
        lambda sound: tag(300, footer=True) + sound,
        lambda sound: tag(300, footer=True) + tag(70_000) + sound,
        lambda sound: tag(20) + bytes(3000) + sound,
        lambda sound: frames_in(sound, 0, 2) + b"odd" + tag(300) + frames_in(sound, 2, 0),
        lambda sound: sound + b"TAG" + bytes(125),
        lambda sound: sound + b"APETAGEX" + bytes(1_500_000),
    ],
    ids=[
        "bare",
        "two tags",
        "a footer",
        "a footer and a tag",
        "padding",
        "a joint",
        "a tag behind",
        "a large tag behind",
    ],
)
def test_what_is_no_sound_does_not_last(dress: Callable[[bytes], bytes]) -> None:
    """Tags before and behind an MP3, in any number, and what fills them up: the frames are what lasts."""
    sound = frames(clip("mp3", "libmp3lame", 5, write_xing="0", id3v2_version="0"))

    assert lasts(MP3, dress(sound)) == pytest.approx(5, abs=0.2)


def frames_in(sound: bytes, first: int, last: int) -> bytes:
    """Some of the frames of a sound, by number; to its end where `last` is nought."""
    starts = [place.start() for place in re.finditer(rb"\xff\xfb", sound)]
    return sound[starts[first] : starts[last] if last else None]


def tag(size: int, *, footer: bool = False) -> bytes:
    """An ID3v2.4 tag that holds nothing of use."""
    head = bytes((4, 0, 0x10 if footer else 0, *(size >> shift & 0x7F for shift in (21, 14, 7, 0))))
    return b"ID3" + head + bytes(size) + (b"3DI" + head if footer else b"")


def test_a_sound_of_several_bit_rates_is_counted() -> None:
    """The rate of the first frame says nothing of the others; of a long sound the rest is taken to be alike."""
    slow, fast = b"\xff\xfb\x10\xc0" + bytes(100), b"\xff\xfb\xe0\xc0" + bytes(1040)
    each = 1152 / 44_100

    assert lasts(MP3, slow * 200 + fast * 200) == pytest.approx(400 * each)
    assert lasts(MP3, slow * 60_000) == pytest.approx(60_000 * each)
    assert read_of(slow * 60_000) < 4_000_000
    assert lasts(MP3, slow + b"no frame") == pytest.approx(each)


def read_of(body: bytes) -> int:
    """How many bytes of an MP3 are read."""
    asked: list[int] = []

    def read(at: int, length: int) -> bytes:
        asked.append(length)
        return body[at : at + length]

    seconds_of(MP3, read, len(body))
    return sum(asked)


def test_a_sound_whose_writer_could_not_go_back_lasts_to_its_end() -> None:
    """A streamed WAV has nought, or all ones, for its length."""
    body = sound(2)
    at = body.index(b"data") + 4

    for length in (0, 0xFFFFFFFF):
        streamed = body[:at] + struct.pack("<I", length) + body[at + 4 :]
        assert lasts(WAV, streamed) == pytest.approx(2)


FRAGMENTED = ["frag_keyframe", "frag_keyframe+empty_moov", "dash", "cmaf+delay_moov", "frag_every_frame"]


@pytest.mark.parametrize("movflags", ["", "faststart", *FRAGMENTED])
def test_an_mp4_lasts_as_long_as_its_headers_say(movflags: str) -> None:
    """By the movie header, at the file's end as well; of a fragmented file by its fragments."""
    options = {"movflags": movflags, "frag_duration": "1000000"} if movflags in FRAGMENTED else {}

    assert lasts(MP4, clip("mp4", "aac", 5, **options)) == pytest.approx(5, abs=0.2)


@given(
    st.binary(max_size=300),
    st.sampled_from([b"", b"ID3", b"RIFF\0\0\0\0WAVE", b"\0\0\0\x10ftypisom", b"\xff\xfb\x90"]),
)
def test_no_bytes_break_the_readers(tail: bytes, head: bytes) -> None:
    """Whatever the bytes are, an answer comes: a type or none, sides or none, seconds or none."""
    body = head + tail
    seen_as(body[:HEAD])
    objection("a.mp4", body[:HEAD])
    sides(body)
    for kind in UPLOADED:
        found = lasts(kind, body)
        assert found is None or found >= 0


def test_a_file_of_empty_boxes_ends() -> None:
    """A file may claim any number of boxes: only so many are walked."""
    reads = 0
    body = struct.pack(">I4s", 8, b"free") * 5000

    def read(at: int, length: int) -> bytes:
        nonlocal reads
        reads += 1
        return body[at : at + length]

    assert seconds_of(MP4, read, len(body)) is None
    assert reads <= 1001


def test_a_damaged_header_breaks_nothing() -> None:
    """Real files with bytes overwritten at random give numbers or nothing."""
    rng = random.Random(1)
    for kind, body in ((MP4, clip("mp4", "aac", 1)), (WAV, sound(1)), (MP3, clip("mp3", "libmp3lame", 1))):
        for _ in range(300):
            broken = bytearray(body)
            for _ in range(rng.randrange(1, 30)):
                broken[rng.randrange(min(len(broken), 2000))] = rng.randrange(256)
            found = lasts(kind, bytes(broken))
            assert found is None or found >= 0
