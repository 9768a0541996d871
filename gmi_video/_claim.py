"""A name for a file that is being written: held by one writer at a time, with a note of what the bytes are of."""

import contextlib
import json
import os
import stat
from pathlib import Path
from types import ModuleType

from gmi_video._range import Edition

_fcntl: ModuleType | None
try:
    import fcntl as _fcntl
except ImportError:  # Windows: what is not whole is then completed by its own process or not at all
    _fcntl = None

LOCKS = _fcntl is not None
"""Whether this system has the locks that are needed, and renames files that are open."""
NOFOLLOW = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
_NOTE = 65_536
"""Bytes that a note may have."""


def claimed(path: Path) -> int | None:
    """An open file under this name that nobody else writes; None where there cannot be one.

    A name that can be foreseen may have been prepared by somebody: what is a link, has another owner, or is the
    body of another file as well is not written to.
    """
    if _fcntl is None:
        return None
    for _ in range(3):
        try:
            handle = os.open(path, os.O_RDWR | os.O_CREAT | NOFOLLOW, 0o666)
        except OSError:
            if not path.is_symlink():
                return None  # another user's, or a folder: whether any file can be made here is seen at the next name
            path.unlink()
            continue
        try:
            _fcntl.flock(handle, _fcntl.LOCK_EX | _fcntl.LOCK_NB)
            found, here = os.fstat(handle), _looked(path)
        except BlockingIOError:  # locked
            os.close(handle)
            return None
        except OSError:  # a file system without locks, where nobody uses this name
            if not os.fstat(handle).st_size:
                path.unlink(missing_ok=True)
            os.close(handle)
            return None
        same = here is not None and (here.st_dev, here.st_ino) == (found.st_dev, found.st_ino)
        if same and stat.S_ISREG(found.st_mode) and found.st_nlink == 1 and found.st_uid == os.geteuid():
            return handle
        if same:
            path.unlink()
        os.close(handle)
    return None


def clear(path: Path) -> None:
    """Removes what a writer that was killed has left under this name; what somebody still writes stays."""
    with contextlib.suppress(OSError):
        if _looked(path) is None:
            return
        handle = claimed(path)
        if handle is not None:
            path.unlink(missing_ok=True)
            os.close(handle)


def _looked(path: Path) -> os.stat_result | None:
    try:
        return path.lstat()
    except FileNotFoundError:  # its writer has just put it into its place
        return None


def noted(note: Path) -> Edition | None:
    """What a note of ours says; None where there is none that can be read."""
    with contextlib.suppress(OSError, ValueError, RecursionError):
        handle = os.open(note, os.O_RDONLY | NOFOLLOW)
        try:
            owned = os.fstat(handle).st_uid == os.geteuid()
            return Edition.from_dict(json.loads(os.read(handle, _NOTE))) if owned else None
        finally:
            os.close(handle)
    return None


def write_note(note: Path, edition: Edition) -> None:
    """Writes a note where there is none; raises `OSError`."""
    handle = os.open(note, os.O_WRONLY | os.O_CREAT | os.O_EXCL | NOFOLLOW, 0o600)
    try:
        os.write(handle, json.dumps(edition.as_dict()).encode())
    finally:
        os.close(handle)


def synced(folder: Path) -> None:
    """Makes a rename durable: on POSIX that is the folder's own content."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
