"""One journal, one owner: a lock that dies with its process, and the file systems where locks are not to be trusted."""

import contextlib
import os
import sys
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

    The lock is not on the journal itself: closing any descriptor of that file would drop SQLite's own locks.
    """

    def __init__(self, journal: Path) -> None:
        path = journal.with_name(f"{journal.name}-lock")
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


def refuse_network(journal: Path, mounts: Path = Path("/proc/self/mountinfo")) -> None:
    """Raises `JournalError` where the journal would lie on a network file system; silent where that cannot be told."""
    kind = file_system(journal.resolve(), mounts)
    if kind in NETWORK:
        message = (
            f"{str(journal)!r} is on a network file system ({kind}), whose locks do not keep a second process out; "
            "put the journal on a local disk, or force it"
        )
        raise JournalError(message, path=str(journal))


def file_system(path: Path, mounts: Path) -> str:
    """The type of the file system that holds `path`, or nothing where the system does not say."""
    try:
        lines = mounts.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return ""
    found, depth = "", -1
    for line in lines:
        before, _, after = line.partition(" - ")
        point = Path(before.split()[4].encode().decode("unicode_escape"))
        if len(point.parts) > depth and path.is_relative_to(point):
            found, depth = after.split()[0], len(point.parts)
    return found
