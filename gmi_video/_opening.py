"""Files that are read to be sent: opened with care, and known again by their stamp. All of it blocks."""

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Self

from gmi_video.errors import ConfigurationError


class OpenFile:
    """A regular file, open for reading. `stamp` changes where the file is written, or replaced by another.

    Where it is read for somebody who has `given_up`, nothing more of it can be read.
    """

    def __init__(self, path: Path, given_up: Callable[[], bool] | None = None) -> None:
        """Raises `ConfigurationError` that says why the file cannot be read."""
        self._given_up = given_up
        why = ""
        try:
            if stat.S_ISREG(path.stat().st_mode):  # first: to open a pipe would wait for its other end
                self._file = path.open("rb", buffering=0)
            else:
                why = "it is a folder" if path.is_dir() else "it is no regular file"
        except OSError as error:
            why = error.strerror or "the system does not say why"
        except ValueError:
            why = "its name holds signs that no file name has"
        if why:
            message = f"{str(path)!r} cannot be read: {why}"
            raise ConfigurationError(message)
        self.path = path
        self.stamp = self.stamp_now()
        self.size = self.stamp[2]

    def stamp_now(self) -> tuple[int, ...]:
        """What tells this content from another: device, file, size, and in nanoseconds two times.

        Those are of the last write, which anybody may set, and of the last change to the file, which nobody can.
        """
        told = os.fstat(self._file.fileno())
        return told.st_dev, told.st_ino, told.st_size, told.st_mtime_ns, told.st_ctime_ns

    @staticmethod
    def same(stamp: tuple[int, ...], other: tuple[int, ...]) -> bool:
        """Whether a file is the same, and was not written to; it may have been linked, renamed, or opened to others."""
        return stamp[:-1] == other[:-1]

    def read(self, at: int, length: int) -> bytes:
        """The bytes from `at` on, fewer where the file ends; raises `ConfigurationError` where the disk fails."""
        if self._given_up is not None and self._given_up():
            raise self._unreadable("it is not wanted any more")
        try:
            self._file.seek(at)
            pieces: list[bytes] = []
            while length > 0 and (piece := self._file.read(length)):
                pieces.append(piece)
                length -= len(piece)
            return pieces[0] if len(pieces) == 1 else b"".join(pieces)
        except OSError as error:
            why = error.strerror or "the disk fails"
        raise self._unreadable(why)

    def readinto(self, at: int, room: memoryview) -> int:
        """How many bytes from `at` on are in `room` now, fewer than fit where the file ends; raises as `read` does."""
        try:
            self._file.seek(at)
            came = 0
            while came < len(room) and (more := self._file.readinto(room[came:])):
                came += more
        except OSError as error:
            why = error.strerror or "the disk fails"
        else:
            return came
        raise self._unreadable(why)

    def _unreadable(self, why: str) -> ConfigurationError:
        return ConfigurationError(f"{str(self.path)!r} cannot be read: {why}")

    def close(self) -> None:
        """Lets go of it; a second time does nothing."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
