"""`Stream`: the bytes of a remote file as a plain iterator."""

from typing import Self

from gmi_video import MediaStream
from gmi_video.sync.face import Face, Items, Read
from gmi_video.sync.thread import LoopThread


class Stream(Face[MediaStream]):
    """The bytes of a file as they come: `with session.stream(what) as stream: for piece in stream`.

    It ends only where all has come, else it raises `Incomplete`, and `session.stream(what, start=stream.position)`
    goes on from there.
    """

    def __init__(self, inner: MediaStream, thread: LoopThread) -> None:
        super().__init__(inner, thread)
        self._pieces = Items(inner, thread)

    media = Read(MediaStream, lambda stream: stream.media)
    edition = Read(MediaStream, lambda stream: stream.edition)
    size = Read(MediaStream, lambda stream: stream.size)
    length = Read(MediaStream, lambda stream: stream.length)
    content_type = Read(MediaStream, lambda stream: stream.content_type)
    etag = Read(MediaStream, lambda stream: stream.etag)
    start = Read(MediaStream, lambda stream: stream.start)
    position = Read(MediaStream, lambda stream: stream.position)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        return next(self._pieces)
