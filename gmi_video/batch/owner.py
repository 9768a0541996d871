"""One journal, one owner: a lock that dies with its process, and the file systems where locks are not to be trusted."""

import contextlib
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from gmi_video.batch.errors import JournalError, JournalLocked

NETWORK = frozenset(
    [
        "9p",
        "afs",
        "beegfs",
        "ceph",
        "cifs",
        "davfs",
        "fuse.glusterfs",
        "fuse.rclone",
        "fuse.s3fs",
        "fuse.sshfs",
        "gfs2",
        "glusterfs",
        "lustre",
        "ncpfs",
        "nfs",
        "nfs4",
        "smb3",
        "smbfs",
        "vboxsf",
    ]
)
"""File systems whose locks and memory maps do not hold between machines, as Linux names them."""


class Owner:
    """Owns a journal by a lock on the file `<journal>-lock`, which holds the owner's pid.

    It lies beside the file itself, whatever links lead there: SQLite's log does so too. The lock is not on the journal:
    closing any descriptor of that file would drop SQLite's own locks.
    """

    def __init__(self, journal: Path) -> None:
        whole = real(journal)
        path = whole.with_name(f"{whole.name}-lock")
        try:
            self._handle = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
        except OSError as error:
            why = error.strerror or "it cannot be made"
            raise JournalError(f"{str(path)!r}: {why}", path=str(journal)) from None
        if not _locked(self._handle):
            pid = _pid(self._handle)
            os.close(self._handle)
            whom = "this very process" if pid == os.getpid() else f"process {pid or 'of another user'}"
            message = f"{str(journal)!r} is in use by {whom}; one journal has one owner at a time"
            raise JournalLocked(message, pid=pid, path=str(journal))
        os.ftruncate(self._handle, 0)
        os.pwrite(self._handle, str(os.getpid()).encode(), 0)

    def release(self) -> None:
        """Lets go. The file stays: deleting it would let two processes lock two files of one name."""
        with contextlib.suppress(OSError):
            os.close(self._handle)


if sys.platform == "win32":  # pragma: no cover
    import msvcrt

    def _locked(handle: int) -> bool:
        os.lseek(handle, 4096, os.SEEK_SET)  # beyond the pid: a locked byte cannot be read by others
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _locked(handle: int) -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True


def _pid(handle: int) -> int | None:
    try:
        return int(os.pread(handle, 20, 0))
    except (OSError, ValueError, AttributeError):
        return None


def real(path: Path) -> Path:
    """The path of the file itself, symbolic links followed as far as they lead."""
    return Path(os.path.realpath(path))


_MOUNTS = Path("/proc/self/mountinfo")


def refuse_names(journal: Path, mounts: Path = _MOUNTS) -> None:
    """Raises `JournalError` where the file is there under a second name that no lock would see.

    SQLite names its log by the path: two names have two logs, and whoever opens the second does not see the first.
    """
    path = real(journal)
    try:
        names = path.stat().st_nlink if not path.is_dir() else 1  # of a folder, opening it tells
    except OSError:  # it is not there yet, or opening it tells
        return
    if names > 1:
        message = (
            f"{str(journal)!r} is one of {names} names of one file (hard links), and each would have a log of its "
            "own; leave it one name, copy the file, or force it"
        )
        raise JournalError(message, path=str(journal))
    if any(point == path for point, _ in _mounted(mounts)):
        message = (
            f"{str(journal)!r} is mounted alone, away from the log and the lock beside it; mount the folder in which "
            "it lies, or force it"
        )
        raise JournalError(message, path=str(journal))


def refuse_network(journal: Path, mounts: Path = _MOUNTS) -> None:
    """Raises `JournalError` where the journal would lie on a network file system; silent where that cannot be told."""
    kind = file_system(real(journal), mounts)
    if kind in NETWORK:
        message = (
            f"{str(journal)!r} is on a network file system ({kind}), whose locks do not keep a second process out; "
            "put the journal on a local disk, or force it"
        )
        raise JournalError(message, path=str(journal))


def file_system(path: Path, mounts: Path) -> str:
    """The type of the file system that holds `path`, or nothing where the system does not say."""
    found, depth = "", -1
    for point, kind in _mounted(mounts):
        if len(point.parts) > depth and path.is_relative_to(point):
            found, depth = kind, len(point.parts)
    return found


def _mounted(mounts: Path) -> Iterator[tuple[Path, str]]:
    """Where file systems are mounted, with their types; nothing where the system does not say.

    Names are bytes of any kind; a blank, a tab, a line's end and a backslash stand as three octal digits.
    """
    try:
        lines = mounts.read_bytes().removesuffix(b"\n").split(b"\n")
    except OSError:
        return
    for line in filter(None, lines):
        before, _, after = line.partition(b" - ")
        point = re.sub(rb"\\([0-7]{3})", lambda found: bytes([int(found[1], 8)]), before.split(b" ")[4])
        yield Path(os.fsdecode(point)), os.fsdecode(after.split(b" ")[0])
