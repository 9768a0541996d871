"""The login that `gmi-video login` keeps: one file in the user's state folder that nobody else may read."""

import asyncio
import json
import os
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from platformdirs import user_state_path

from gmi_video.errors import ConfigurationError

WAIT = 30.0
"""Seconds that a command waits for another one that is renewing the login."""
_STEP = 0.05


def folder() -> Path:
    """Where the platform keeps what a program must remember, e.g. ~/.local/state/gmi-video."""
    return user_state_path("gmi-video", appauthor=False)


class Kept:
    """A refresh token in a file of mode 0600, beside the address that it is good for."""

    def __init__(self, path: Path, base_url: str, *, anew: bool = False) -> None:
        self.path = path
        self.base_url = base_url
        self._anew = anew
        self.saved = False

    @classmethod
    def found(cls) -> "Kept | None":
        """The login that was kept on this machine, or None."""
        path = folder() / "login.json"
        base_url = _read(path).get("base_url")
        return cls(path, base_url) if base_url else None

    @classmethod
    def new(cls, base_url: str) -> "Kept":
        """The place for a login that is made now; one kept before is replaced once this one has succeeded."""
        return cls(folder() / "login.json", base_url, anew=True)

    async def load(self) -> str | None:
        """The token kept last."""
        return None if self._anew else _read(self.path).get("refresh_token")

    async def save(self, token: str) -> None:
        """Keeps a token whole or not at all. Raises `OSError`."""
        self._anew = False
        write(self.path, json.dumps({"base_url": self.base_url, "refresh_token": token}))
        self.saved = True

    @asynccontextmanager
    async def hold(self) -> AsyncIterator[None]:
        """Keeps other commands from renewing meanwhile; a lock that nobody gives back is not waited for longer.

        Raises `ConfigurationError` where the folder cannot be written.
        """
        handle = self._lock()
        try:
            for _ in range(round(WAIT / _STEP)):
                if _locked(handle):
                    break
                await asyncio.sleep(_STEP)
            yield
        finally:
            os.close(handle)  # which gives the lock back

    def _lock(self) -> int:
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            return os.open(self.path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            why = error.strerror
        message = f"the login cannot be kept in {self.path.parent}: {why}; XDG_STATE_HOME names another place"
        raise ConfigurationError(message)

    async def forget(self) -> bool:
        """Deletes the file; whether there was one. A command that renews it just now would write it again."""
        if not self.path.exists():
            return False
        async with self.hold():
            return self._gone()

    def _gone(self) -> bool:
        with suppress(OSError):  # Windows deletes no file that is open
            self.path.with_suffix(".lock").unlink()
        try:
            self.path.unlink()
        except FileNotFoundError:
            return False
        return True


def write(path: Path, text: str) -> None:
    """A file that only its owner may read, from its first byte on."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def _read(path: Path) -> dict[str, str]:
    """What the file says; nothing where there is none that can be read."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return (
        {name: text for name, text in found.items() if isinstance(text, str)}
        if isinstance(found, dict)
        else {}
    )


def _locked(handle: int) -> bool:
    """Whether the lock is ours now; where the platform has none, at once."""
    try:
        import fcntl  # noqa: PLC0415  # not on Windows
    except ImportError:
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
