"""Places for files, proven writable before anything is paid. All of this blocks, so drivers call it in an executor."""

import errno
import hashlib
import os
import secrets
from pathlib import Path

from gmi_video.errors import TargetUnusable

_NO_NAME = "its name holds signs that no file name has"


def unusable(path: Path, why: str) -> TargetUnusable:
    """The error for a place that cannot be written."""
    return TargetUnusable(f"cannot write {str(path)!r}: {why}")


def hidden() -> str:
    """A name for a file that is not whole. It does not hold the target's, which may be as long as names get."""
    return f".gmi_video-{secrets.token_hex(4)}.part"


def check_folder(folder: Path) -> None:
    """Makes a folder where it is missing and proves that it can be written; raises `TargetUnusable`."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise unusable(folder, "it is a file, and a folder is wanted") from None
    except OSError as error:
        raise unusable(folder, error.strerror or "the folder cannot be made") from None
    except ValueError:
        raise unusable(folder, _NO_NAME) from None
    try:
        _probe(folder)
    except OSError as error:
        raise unusable(folder, error.strerror or "the folder cannot be written") from None


def _probe(folder: Path) -> None:
    """Makes a file and removes it; where the system can, one without a name, which no kill leaves behind."""
    nameless = getattr(os, "O_TMPFILE", 0)
    if nameless:
        try:
            os.close(os.open(folder, nameless | os.O_WRONLY, 0o600))
        except OSError as error:
            if error.errno not in {errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL}:
                raise
        else:
            return
    probe = folder / hidden()
    probe.touch(exist_ok=False)
    probe.unlink()


def check_file(path: Path, *, overwrite: bool = False) -> None:
    """Proves that a file can be written at `path`; raises `TargetUnusable` that says why not."""
    if not path.name:
        raise unusable(path, "a file name is wanted")
    try:
        path.lstat()
    except FileNotFoundError:
        taken = False
    except OSError as error:
        raise unusable(path, error.strerror or "it cannot be looked up") from None
    except ValueError:
        raise unusable(path, _NO_NAME) from None
    else:
        taken = True
    if path.is_dir():
        raise unusable(path, "it is a folder; give into=… to save into it")
    if not path.parent.is_dir():
        raise unusable(path, f"the folder {str(path.parent)!r} does not exist")
    if taken and not overwrite:
        raise unusable(path, "it is there already; choose another name, or move it away")
    if taken:
        check_replaced(path)
    check_folder(path.parent)


def check_replaced(path: Path) -> None:
    """Raises `TargetUnusable` where something is there that is no file: a device, a pipe, a folder, a link to nowhere."""
    if os.path.lexists(path) and not path.is_file():
        raise unusable(path, "what is there is no file; move it away, or choose another name")


def digest(path: Path) -> tuple[int, str]:
    """Size and SHA-256 of a file."""
    sha = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            sha.update(piece)
        return file.tell(), sha.hexdigest()
