"""A file that is not whole yet: beside its target, under a hidden name, with a note of what it is a part of.

What was begun by one process can be completed by another: the name is made from the target's, a lock keeps two
writers apart, and the note says of which edition of the remote file these bytes are. All of this blocks, so
drivers call it in an executor.
"""

import contextlib
import errno
import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Self

from gmi_video._claim import LOCKS, NOFOLLOW, claimed, clear, noted, synced, write_note
from gmi_video._container import examine
from gmi_video._digests import Digests
from gmi_video._file_type import HEAD, NAMED, extension_for
from gmi_video._files import digest, hidden, unusable
from gmi_video._range import Edition
from gmi_video._torn import Torn
from gmi_video.records import MediaKind

_READ = 1 << 20
_BESIDE = 4
"""Names for those who write the same target at the same time; each further one gets a name that nobody foresees."""


class Part:
    """A file to be written. Nothing is on disk before `open`; `close` removes it unless it is to be kept.

    `size` bytes of `edition` are there; None where nothing is.
    """

    def __init__(self, target: Path) -> None:
        self.target = target
        self.size = 0
        self.edition: Edition | None = None
        name = hashlib.sha256(os.fsencode(target.name)).hexdigest()[
            :16
        ]  # the target's own may be too long for more
        self._path, *self._beside = (
            target.with_name(f".gmi_video-{name}{mark}.part")
            for mark in ("", *(f"-{number}" for number in range(2, _BESIDE + 1)))
        )
        self._shared = True
        self._digests: Digests | None = None
        self._handle: int | None = None
        self._placed = False

    @property
    def _note(self) -> Path:
        return self._path.with_suffix(".json")

    def open(self) -> None:
        """Makes the file, or takes up the one that is there; raises `TargetUnusable`."""
        try:
            self._handle = claimed(self._path)
            if self._handle is None:  # another writer is at it, or has left it behind for us to trip over
                self._shared = False
                self._handle = self._aside()
        except OSError as error:
            raise unusable(self.target, error.strerror or "it cannot be opened") from None
        if self._shared:
            self._take_up()
            for path in self._beside:
                clear(path)

    def _aside(self) -> int:
        """A file of our own while another writes the shared one. Killed writers' files are found under these names."""
        for path in self._beside if LOCKS else ():
            handle = claimed(path)
            if handle is not None:
                self._path = path
                return handle
        self._path = self.target.with_name(hidden())
        return os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL | NOFOLLOW, 0o666)

    def _take_up(self) -> None:
        edition, size = noted(self._note), os.fstat(self._open).st_size
        if edition is None or not edition.resumable or not size:
            return
        if edition.size is None or size <= edition.size:
            self.edition, self.size = edition, size

    def held(self, url: str) -> Edition | None:
        """The edition that can be completed from this link; None: it has to begin anew."""
        edition = self.edition
        if edition is None or not (self.size and edition.resumable and edition.url == url):
            return None
        return edition

    def begin(self, edition: Edition) -> None:
        """From the first byte of this edition, whatever was there. A note is written only after that is gone."""
        try:
            self._note.unlink(missing_ok=True)
            os.ftruncate(self._open, 0)
            if self._shared and edition.resumable:
                write_note(self._note, edition)
        except OSError as error:
            raise unusable(self.target, error.strerror or "it cannot be begun") from None
        self.edition, self.size, self._digests = edition, 0, Digests(edition)

    def go_on(self) -> None:
        """Reads what is there, for its checksums; nothing where they are known."""
        if self._digests is not None:
            return
        assert self.edition is not None
        digests, place = Digests(self.edition), 0
        while piece := self.at(place, min(_READ, self.size - place)):
            digests.update(piece)
            place += len(piece)
        self.size, self._digests = place, digests

    def ask_room(self, more: int) -> None:
        """Raises `TargetUnusable` where the disk has no room for so many bytes."""
        with contextlib.suppress(OSError):  # a file system that does not say
            free = shutil.disk_usage(self.target.parent).free
            if free < more:
                full = os.strerror(errno.ENOSPC)  # what the system would say, so that one sign is looked for
                raise unusable(
                    self.target, f"{full}: {more:,} bytes are to come, and the disk has {free:,} free"
                )

    def write(self, piece: bytes | memoryview) -> None:
        """Appends; raises `TargetUnusable` where the disk does not take it, and keeps what it took."""
        for step in self.steps():
            step(piece)

    def steps(self) -> tuple[Callable[[bytes | memoryview], None], ...]:
        """What becomes of each piece: it is appended, and hashed. Threads may do it side by side, piece by piece."""
        assert self._digests is not None
        return self._append, *self._digests.lanes

    def _append(self, piece: bytes | memoryview) -> None:
        left = memoryview(piece)
        try:
            os.lseek(self._open, self.size, os.SEEK_SET)
            while left:
                wrote = os.write(self._open, left)
                left = left[wrote:]
                self.size += wrote
        except OSError as error:
            self._digests = None  # they may be of more than the disk took
            raise unusable(self.target, error.strerror or "the disk does not take it") from None

    def at(self, place: int, count: int) -> bytes:
        """The bytes at a place."""
        os.lseek(self._open, place, os.SEEK_SET)
        return os.read(self._open, count)

    def objection(self, kind: MediaKind, stated: tuple[int, int] | None) -> str | None:
        """Why this is not the file that was promised; None: it is."""
        assert self._digests is not None
        assert self.edition is not None
        if self.edition.size not in {None, self.size}:
            return f"{self.size:,} bytes came of {self.edition.size:,}"
        if not self._digests.agrees:
            return "its checksum is not the one that the storage host told"
        try:
            measured = self.edition.size is not None or self._digests.tell
            examine(self.at, self.size, kind=kind, measured=measured, stated=stated)
        except Torn as error:
            return str(error)
        return None

    @property
    def misnamed(self) -> str | None:
        """The extension that the bytes ask for, where the target's is that of another type."""
        told = self.target.suffix[1:].lower()
        found = extension_for(told, self.at(0, HEAD))
        return found if told in NAMED and found != told else None

    def fit(self, *, overwrite: bool) -> str | None:
        """Makes the extension that of the bytes. The SHA-256 where this very file is there already, and not wanted again."""
        assert self._digests is not None
        self.target = self.target.with_suffix(f".{self.misnamed}")
        mine = (self.size, self._digests.sha256)
        with contextlib.suppress(OSError):
            if not overwrite and digest(self.target) == mine:
                self.edition = None
                return mine[1]
        return None

    def finish(self, *, overwrite: bool, beside: Path | None = None) -> str:
        """Puts the whole file at its place and returns its SHA-256.

        If one is there by now, it goes `beside`; raises `TargetUnusable` where that is not said, or is taken as well.
        """
        assert self._digests is not None
        try:
            os.fsync(self._open)
            self._note.unlink(missing_ok=True)  # while the lock still says that it is ours
            if not LOCKS:
                self._shut()  # Windows renames no open file
            if overwrite:
                self._path.replace(self.target)
            else:
                self._place(beside)
            self._placed = True
            synced(self.target.parent)
        except FileExistsError:
            self.edition = None  # nothing to go on with: all of it came
            raise unusable(self.target, "a file of that name appeared meanwhile") from None
        except OSError as error:
            self.edition = None
            raise unusable(self.target, error.strerror or "it cannot be put there") from None
        return self._digests.sha256

    def _place(self, beside: Path | None) -> None:
        """Renames without ever replacing: a hard link fails where the name is taken, a rename would not."""
        try:
            os.link(self._path, self.target)
        except FileExistsError:
            if beside is None:
                raise
            self.target = beside
            self._place(None)
        except OSError:  # a file system without hard links
            if self.target.exists() and beside is not None:
                self.target = beside
            if self.target.exists():
                raise FileExistsError from None
            self._path.replace(self.target)
        else:
            self._path.unlink()

    def clear_twin(self) -> None:
        """Removes the part where it is the target's own body, under its second name."""
        with contextlib.suppress(OSError):
            if self._path.samefile(self.target) and not self._path.is_symlink():
                self._path.unlink()

    def close(self, *, keep: bool = False) -> None:
        """Closes. What is not at its place goes, unless it is to be kept and can be completed later."""
        kept = keep and self._shared and self.size > 0 and self.edition is not None and self.edition.resumable
        with contextlib.suppress(OSError):
            if not (kept or self._placed) and self._handle is not None:
                self._path.unlink(missing_ok=True)
                self._note.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            self._shut()

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


def found(target: Path, kind: MediaKind) -> tuple[int, str]:
    """Size and SHA-256 of a file that is there already; raises `TargetUnusable` where it is none or not whole.

    What a writer that was killed behind its last step has left beside it is cleared away.
    """
    try:
        with target.open("rb") as file:

            def at(place: int, count: int) -> bytes:
                file.seek(place)
                return file.read(count)

            examine(at, os.fstat(file.fileno()).st_size, kind=kind, measured=True)
        told = digest(target)
    except Torn as error:
        why = f"the file that is there is not the one ({error}); move it away, or say overwrite"
        raise unusable(target, why) from None
    except OSError as error:
        raise unusable(target, error.strerror or "the file that is there cannot be read") from None
    Part(target).clear_twin()
    return told
