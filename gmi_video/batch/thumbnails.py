"""Small pictures of saved files, as bytes to stand inside a page. Needs PyAV and Pillow (the extra `thumbnails`)."""

from io import BytesIO
from pathlib import Path

import av
from av.video.stream import VideoStream

WIDTH, HEIGHT = 256, 192
"""What a picture must fit into. Around 4 kB each, so ten thousand of them are a page of 50 MB."""
_QUALITY = 55
_STILL = 100_000
"""Microseconds: a picture has a duration of one frame, and nothing behind its first."""

_OPTIONS = {
    "protocol_whitelist": "file",
    "format_whitelist": "mov,mp4,matroska,webm,image2,jpeg_pipe,png_pipe,webp_pipe,gif",
}
"""A file that came over a network is opened as a video or a picture and as nothing else: the playlists that the
demuxer also knows can name other files and hosts (https://ffmpeg.org/ffmpeg-protocols.html)."""


def thumbnail(path: Path) -> bytes | None:
    """A frame of the first third as WebP, or None where the file shows none; a picture stands for itself."""
    try:
        with av.open(str(path), options=_OPTIONS) as container:
            stream = next((each for each in container.streams if isinstance(each, VideoStream)), None)
            return None if stream is None else _picture(container, stream)
    except (av.FFmpegError, OSError, ValueError, MemoryError):
        return None


def _picture(container: "av.container.InputContainer", stream: VideoStream) -> bytes | None:
    stream.codec_context.thread_count = 1
    stream.codec_context.skip_frame = "NONKEY"  # one frame is decoded, not all up to it
    if container.duration and container.duration > _STILL:
        container.seek(container.duration // 3)  # the first frame is often black
    frame = next(container.decode(stream), None)
    if frame is None or not frame.width or not frame.height:
        return None
    scale = min(WIDTH / frame.width, HEIGHT / frame.height, 1.0)
    width, height = (max(1, round(side * scale)) for side in (frame.width, frame.height))
    image = frame.to_image(width=width, height=height)  # type: ignore[no-untyped-call]  # PyAV has no types here
    held = BytesIO()
    image.save(held, "WEBP", quality=_QUALITY, method=2)
    return held.getvalue()
