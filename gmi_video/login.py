"""Who logs in at the console door, and how: e-mail and password, a one-time code, a token kept between runs."""

import binascii
import json
from base64 import urlsafe_b64decode
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

from attrs import field, frozen

from gmi_video._secret import Secret
from gmi_video.records import Record

EMAIL_VARIABLE = "GMI_CLOUD_EMAIL"
PASSWORD_VARIABLE = "GMI_CLOUD_PASSWORD"  # noqa: S105  # the variable's name, as the vendor's SDK reads it

OneTimeCode = Callable[[int], Awaitable[str]]
"""Gets which attempt this is (1, 2 or 3) and gives the code; what it raises ends the login."""


class Keep(Protocol):
    """Where a refresh token outlives its process. It is worth a password: nobody else may read it.

    Each is good for one renewal, so whoever renews holds the place: no other process may do so meanwhile.
    """

    def hold(self) -> AbstractAsyncContextManager[object]:
        """The place for as long as the block lasts; waits while another process has it."""
        ...

    async def load(self) -> str | None:
        """The token kept last, or None."""
        ...

    async def save(self, token: str) -> None:
        """Keeps a token in place of the one before, which is dead now."""
        ...


def _stripped(text: str) -> str:
    return text.strip()


def _shown(value: object) -> str:
    return "<set>" if value else "None"


@frozen(kw_only=True)
class Login:
    """A person's login at the console. Neither the e-mail nor the password is in the repr; it is not pickled.

    `one_time_code` is called where the account asks for a second factor, up to three times. With `keep`, the
    refresh token outlives the process; then e-mail and password may be missing, until that token dies.
    """

    email: str = field(default="", repr=_shown, converter=_stripped)
    password: Secret = field(default=Secret(""), repr=_shown, converter=Secret)
    one_time_code: OneTimeCode | None = field(default=None, repr=_shown)
    keep: Keep | None = field(default=None, repr=_shown)

    @property
    def complete(self) -> bool:
        """Whether there is an e-mail and a password."""
        return bool(self.email and self.password)


@frozen(kw_only=True)
class Profile(Record):
    """Whose login it is, and for which organisation it stands."""

    user_id: str
    email: str = ""
    name: str = ""
    organization: str = ""
    role: str = ""


def claims(token: str) -> Mapping[str, Any]:
    """What a JWT says of itself; nothing where it is another kind of token. It is read, never trusted."""
    parts = token.split(".")
    if len(parts) != 3:
        return {}
    try:
        found = json.loads(urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        return {}
    return found if isinstance(found, Mapping) else {}


def unix_seconds(value: object) -> float | None:
    """A claim of time in Unix seconds, or None where it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e11:
        return None
    return float(value)


def lifetime(token: str) -> float | None:
    """Seconds from a token's making to its death, by its own two times, so that no other clock matters.

    None where it does not tell: such a token is used until the service refuses it.
    """
    found = claims(token)
    made, dies = unix_seconds(found.get("iat")), unix_seconds(found.get("exp"))
    return None if made is None or dies is None or dies <= made else dies - made
