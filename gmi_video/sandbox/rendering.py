"""Renders artifacts with PyAV and Pillow: model, prompt and a running frame counter on a coloured ground.

Frames are drawn as luma over fixed chroma, so a frame costs one grey picture of which only the counter's
strip changes. One encoder thread: equal clips give equal bytes.
"""

import colorsys
import hashlib
import tempfile
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from textwrap import wrap

import av
from attrs import frozen
from PIL import Image, ImageDraw, ImageFont

from gmi_video.sandbox.clips import Clip

_PIXELS = 320_000_000
"""Pixels a clip may cost: 8 s of 720p at 24 frames a second is 177 million; beyond, the frame rate falls."""
_RATES = (24, 15, 12, 8, 6)
_INK = 235
_FAINT = 175

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


def video(clip: Clip) -> bytes:
    """An H.264 MP4 of the clip's size and length, playable from its first byte on."""
    rate = _rate(clip)
    count = max(1, round(clip.seconds * rate))
    ground = _ground(clip)
    # Through a file: with an in-memory target the muxer cannot move the index to the front.
    with tempfile.TemporaryDirectory(prefix="gmi-video-sandbox-") as folder:
        path = Path(folder) / "clip.mp4"
        with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as container:
            stream = container.add_stream("libx264", rate=rate)
            stream.width, stream.height = clip.width, clip.height
            stream.pix_fmt = "yuv420p"
            stream.time_base = stream.codec_context.time_base = Fraction(1, rate)
            stream.codec_context.thread_count = 1
            stream.options = {"preset": "ultrafast", "tune": "zerolatency", "crf": "26"}
            for number in range(count):
                frame = _frame(ground, clip, number, count)
                frame.pts = number
                frame.time_base = Fraction(1, rate)
                container.mux(stream.encode(frame))
            container.mux(stream.encode())
        return path.read_bytes()


def still(clip: Clip) -> bytes:
    """A JPEG of the clip's size: the picture itself, or the thumbnail of a video."""
    ground = _ground(clip)
    planes = [ground.luma, *(plane.resize(ground.luma.size) for plane in ground.chroma)]
    buffer = BytesIO()
    Image.merge("YCbCr", planes).save(buffer, "JPEG", quality=85)
    return buffer.getvalue()


@frozen
class _Ground:
    luma: Image.Image
    chroma: tuple[Image.Image, Image.Image]
    font: Font
    strip: tuple[int, int, int, int]
    """Left, top, width and height of the part that changes."""


def _rate(clip: Clip) -> int:
    cost = clip.width * clip.height * clip.seconds
    return next((rate for rate in _RATES if cost * rate <= _PIXELS), _RATES[-1])


def _ground(clip: Clip) -> _Ground:
    digest = hashlib.sha256(f"{clip.model}\n{clip.prompt}".encode()).digest()
    hue = digest[0] / 255
    width, height = clip.width, clip.height
    slope = Image.linear_gradient("L")
    first = _colour(hue)
    second = _colour(hue + 0.12 + digest[1] / 1024)
    mask = slope.rotate(digest[2] % 4 * 90).resize((width, height), Image.Resampling.BILINEAR)
    ground = Image.composite(
        Image.new("RGB", (width, height), first), Image.new("RGB", (width, height), second), mask
    ).convert("YCbCr")
    luma, blue, red = ground.split()
    half = (width // 2, height // 2)
    unit = min(width, height)
    margin = max(4, unit // 14)
    _write(luma, clip, unit, margin)
    strip_height = max(10, unit // 10)
    strip = (margin, height - margin - strip_height, width - 2 * margin, strip_height)
    font = ImageFont.load_default(size=max(8, unit / 20))
    return _Ground(luma, (blue.resize(half), red.resize(half)), font, strip)


def _colour(hue: float) -> tuple[int, int, int]:
    red, green, blue = colorsys.hsv_to_rgb(hue % 1, 0.62, 0.42)
    return round(red * 255), round(green * 255), round(blue * 255)


def _write(luma: Image.Image, clip: Clip, unit: int, margin: int) -> None:
    draw = ImageDraw.Draw(luma)
    small, large = (
        ImageFont.load_default(size=max(8, unit / 24)),
        ImageFont.load_default(size=max(10, unit / 13)),
    )
    draw.text((margin, margin), clip.model, font=small, fill=_FAINT)
    size = f"{clip.width} x {clip.height}" + (f"   {clip.seconds:g} s" if clip.seconds else "")
    draw.text((clip.width - margin, margin), size, font=small, fill=_FAINT, anchor="ra")
    lines = _lines(draw, clip.prompt or "(no prompt)", large, clip.width - 2 * margin)
    room = max(1, int((clip.height - 6 * margin) / (unit / 13 * 1.35)))
    if len(lines) > room:
        lines = [*lines[: room - 1], lines[room - 1][:-3] + "..."]
    draw.multiline_text(
        (clip.width / 2, clip.height / 2),
        "\n".join(lines),
        font=large,
        fill=_INK,
        anchor="mm",
        align="center",
        spacing=unit / 40,
    )


def _lines(draw: ImageDraw.ImageDraw, text: str, font: Font, width: float) -> list[str]:
    columns = max(8, int(width / draw.textlength("n", font=font)))
    lines = wrap(text, columns)
    while columns > 8 and any(draw.textlength(line, font=font) > width for line in lines):
        columns -= 1
        lines = wrap(text, columns)
    return lines


def _frame(ground: _Ground, clip: Clip, number: int, count: int) -> av.VideoFrame:
    left, top, width, height = ground.strip
    luma = ground.luma.copy()
    draw = ImageDraw.Draw(luma)
    line = max(2, height // 12)
    at = top + height - line
    draw.rectangle((left, at, left + width, at + line), fill=90)
    draw.rectangle((left, at, left + width * (number + 1) / count, at + line), fill=_INK)
    middle = top + (height - line) / 2
    draw.text((left, middle), f"frame {number + 1:03d} / {count}", font=ground.font, fill=_INK, anchor="lm")
    seconds = f"{clip.seconds * number / count:05.2f} s"
    draw.text((left + width, middle), seconds, font=ground.font, fill=_FAINT, anchor="rm")
    frame = av.VideoFrame(clip.width, clip.height, "yuv420p")
    for plane, picture in zip(frame.planes, (luma, *ground.chroma), strict=True):
        plane.update(_rows(picture, plane.line_size))
    return frame


def _rows(picture: Image.Image, line_size: int) -> bytes:
    if picture.width == line_size:
        return picture.tobytes()
    padded = Image.new("L", (line_size, picture.height))
    padded.paste(picture, (0, 0))
    return padded.tobytes()
