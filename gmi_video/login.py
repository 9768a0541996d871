"""Who logs in at the console door, and how: e-mail and password, a one-time code, a token kept between runs."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from attrs import field, frozen

from gmi_video._secret import Secret
from gmi_video.records import Record

EMAIL_VARIABLE = "GMI_CLOUD_EMAIL"
PASSWORD_VARIABLE = "GMI_CLOUD_PASSWORD"  # noqa: S105  # the variable's name, as the vendor's SDK reads it

OneTimeCode = Callable[[int], Awaitable[str]]
"""Gets which attempt this is (1, 2 or 3) and gives the code; what it raises ends the login."""


class Keep(Protocol):
    """Where a refresh token outlives its process. It is worth a password: nobody else may read it."""

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
