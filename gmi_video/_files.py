"""Files on disk: whole at their place, or not there at all.

A file is written beside its target under a hidden name, synced, and renamed. All of this blocks, so drivers
call it in an executor.
"""

import contextlib
import hashlib
import os
import secrets
from pathlib import Path
from typing import Self

from gmi_video.errors import TargetUnusable

_NO_NAME = "its name holds signs that no file name has"


def _unusable(path: Path, why: str) -> TargetUnusable:
    return TargetUnusable(f"cannot write {str(path)!r}: {why}")


def _hidden() -> str:
    """A name for a file that is not whole. It does not hold the target's, which may be as long as names get."""
    return f".gmi_video-{secrets.token_hex(4)}.part"


def check_folder(folder: Path) -> None:
    """Makes a folder where it is missing and proves that it can be written; raises `TargetUnusable`."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise _unusable(folder, "it is a file, and a folder is wanted") from None
    except OSError as error:
        raise _unusable(folder, error.strerror or "the folder cannot be made") from None
    except ValueError:
        raise _unusable(folder, _NO_NAME) from None
    probe = folder / _hidden()
    try:
        probe.touch(exist_ok=False)
        probe.unlink()
    except OSError as error:
        raise _unusable(folder, error.strerror or "the folder cannot be written") from None


def check_file(path: Path, *, overwrite: bool = False) -> None:
    """Proves that a file can be written at `path`; raises `TargetUnusable` that says why not."""
    if not path.name:
        raise _unusable(path, "a file name is wanted")
    try:
        path.lstat()
    except FileNotFoundError:
        taken = False
    except OSError as error:
        raise _unusable(path, error.strerror or "it cannot be looked up") from None
    except ValueError:
        raise _unusable(path, _NO_NAME) from None
    else:
        taken = True
    if path.is_dir():
        raise _unusable(path, "it is a folder; give into=… to save into it")
    if not path.parent.is_dir():
        raise _unusable(path, f"the folder {str(path.parent)!r} does not exist")
    if taken and not overwrite:
        raise _unusable(path, "it is there already; choose another name, or move it away")
    check_folder(path.parent)


def digest(path: Path) -> tuple[int, str]:
    """Size and SHA-256 of a file."""
    sha = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            sha.update(piece)
        return file.tell(), sha.hexdigest()


class Part:
    """A file to be written. Nothing is on disk before `open`; leaving without `finish` removes it."""

    def __init__(self, target: Path) -> None:
        self.target = target
        self.size = 0
        self._sha = hashlib.sha256()
        self._path = target.with_name(_hidden())
        self._handle: int | None = None

    def open(self) -> None:
        """Makes the file; raises `TargetUnusable`."""
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
            self._handle = os.open(self._path, flags, 0o666)
        except OSError as error:
            raise _unusable(self.target, error.strerror or "it cannot be opened") from None

    def write(self, pieces: list[bytes]) -> None:
        """Appends; raises `TargetUnusable` where the disk does not take it."""
        try:
            for piece in pieces:
                view = memoryview(piece)
                while view:
                    view = view[os.write(self._open, view) :]
                self._sha.update(piece)
                self.size += len(piece)
        except OSError as error:
            raise _unusable(self.target, error.strerror or "the disk does not take it") from None

    def restart(self) -> None:
        """Begins anew from the first byte."""
        os.lseek(self._open, 0, os.SEEK_SET)
        os.ftruncate(self._open, 0)
        self._sha = hashlib.sha256()
        self.size = 0

    def finish(self, *, overwrite: bool) -> str:
        """Puts the whole file at its place and returns its SHA-256; raises `TargetUnusable` if one is there."""
        try:
            os.fsync(self._open)
            self._shut()
            if overwrite:
                self._path.replace(self.target)
            else:
                self._place()
            _sync(self.target.parent)
        except FileExistsError:
            raise _unusable(self.target, "a file of that name appeared meanwhile") from None
        except OSError as error:
            raise _unusable(self.target, error.strerror or "it cannot be put there") from None
        return self._sha.hexdigest()

    def _place(self) -> None:
        """Renames without ever replacing: a hard link fails where the name is taken, a rename would not."""
        try:
            os.link(self._path, self.target)
        except FileExistsError:
            raise
        except OSError:  # a file system without hard links
            if self.target.exists():
                raise FileExistsError from None
            self._path.replace(self.target)
        else:
            self._path.unlink()

    def close(self) -> None:
        """Closes, and removes what was not finished."""
        with contextlib.suppress(OSError):
            self._shut()
        self._path.unlink(missing_ok=True)

    @property
    def _open(self) -> int:
        assert self._handle is not None, "open() comes first"
        return self._handle

    def _shut(self) -> None:
        handle, self._handle = self._handle, None
        if handle is not None:
            os.close(handle)

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _sync(folder: Path) -> None:
    """Makes a rename durable: on POSIX that is the folder's own content."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
