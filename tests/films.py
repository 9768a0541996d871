"""Small whole files of every kind that downloads look into, made once."""

import struct
from functools import cache
from importlib.resources import files
from io import BytesIO

import av
from PIL import Image

WIDE, HIGH = 64, 48
STILLS = ("png", "jpeg", "webp", "gif", "avif")
FILMS = ("mp4", "fast", "pieces", "mov", "webm", "mkv", "live")

_CODECS = {"webm": "libvpx-vp9", "live": "libvpx-vp9"}
_FORMATS = {"fast": "mp4", "pieces": "mp4", "live": "webm", "mkv": "matroska"}
_OPTIONS = {
    "pieces": {"movflags": "+frag_keyframe+empty_moov"},
    "live": {"live": "1"},
}


def _picture(shade: int = 0) -> Image.Image:
    return Image.linear_gradient("L").resize((WIDE, HIGH)).convert("RGB").point(lambda value: value ^ shade)


@cache
def film(kind: str) -> bytes:
    """A film of two seconds; "fast" has its index in front, "pieces" is fragmented, "live" names no lengths."""
    if kind == "fast":
        return _index_first(film("mp4"))
    buffer = BytesIO()
    with av.open(buffer, "w", format=_FORMATS.get(kind, kind), options=_OPTIONS.get(kind, {})) as out:
        stream = out.add_stream(_CODECS.get(kind, "libx264"), rate=10)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = WIDE, HIGH, "yuv420p"
        for number in range(20):
            out.mux(stream.encode(av.VideoFrame.from_image(_picture(number))))  # type: ignore[no-untyped-call]  # PyAV's own
        out.mux(stream.encode())
    return buffer.getvalue()


@cache
def still(kind: str) -> bytes:
    """A picture."""
    buffer = BytesIO()
    _picture().save(buffer, kind.upper())
    return buffer.getvalue()


def sample() -> bytes:
    """The clip that the sandbox serves."""
    return (files("gmi_video.sandbox") / "samples" / "clip.mp4").read_bytes()


def large(size: int) -> bytes:
    """A film of exactly so many bytes: the sample, and a box behind it that players skip."""
    room = size - len(sample())
    filling = bytes(range(256)) * (room // 256 + 1)
    return sample() + struct.pack(">I4s", room, b"free") + filling[: room - 8]


def _index_first(told: bytes) -> bytes:
    """The same film with `moov` before `mdat`, as for the web; its index then names other places."""
    boxes, place = {}, 0
    while place < len(told):
        length = int.from_bytes(told[place : place + 4], "big")
        boxes[told[place + 4 : place + 8]] = told[place : place + length]
        place += length
    moov = bytearray(boxes[b"moov"])
    moved = len(boxes[b"ftyp"]) + len(moov) + 4 - told.index(b"mdat")
    table = moov.index(b"stco") + 4
    for number in range(int.from_bytes(moov[table + 4 : table + 8], "big")):
        spot = table + 8 + 4 * number
        moov[spot : spot + 4] = (int.from_bytes(moov[spot : spot + 4], "big") + moved).to_bytes(4, "big")
    return boxes[b"ftyp"] + bytes(moov) + boxes[b"mdat"]
