"""The account's own calls, beside the console door: log in, keep the session alive, say whose it is.

Paths, bodies and the client's name are those of the vendor's Python SDK. Nothing of these answers is ever
quoted but the service's words: they hold tokens.
"""

from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from gmi_video._secret import Secret
from gmi_video.errors import MalformedResponse
from gmi_video.login import Profile
from gmi_video.wire import Call, Operation, Reply, encode, read

CLIENT = ("CE-ClientId", "gmisdk")
"""The header by which the console knows its Python clients."""


@frozen(kw_only=True)
class Ticket:
    """A password was right; with the one-time code, where one is wanted, it becomes a session."""

    token: Secret = field(repr=False)
    wants_code: bool


@frozen(kw_only=True)
class Tokens:
    """A session: the access token goes with every call, the refresh token is good for one new pair."""

    access: Secret = field(repr=False)
    refresh: Secret = field(repr=False)


def ticket_call(email: str, password: str) -> Call:
    """POST /me/auth-tokens: e-mail and password for a ticket."""
    return _posted("login", "/me/auth-tokens", {"email": email, "password": Secret(password)})


def session_call(ticket: Ticket, code: str | None) -> Call:
    """POST /me/sessions: a ticket, with a one-time code where one is wanted, for the tokens of a session."""
    body = {"type": "native", "authToken": ticket.token, "otpCode": None if code is None else Secret(code)}
    return _posted("login", "/me/sessions", body)


def refresh_call(refresh: str) -> Call:
    """PATCH /me/sessions: a refresh token for a new pair; it is dead afterwards."""
    return _posted("refresh", "/me/sessions", {"refreshToken": Secret(refresh)}, method="PATCH")


def profile_call() -> Call:
    """GET /me/profile: whose session this is."""
    return Call(operation="profile", subject="the account", url="/me/profile")


def _posted(operation: Operation, url: str, body: Mapping[str, Any], method: str = "POST") -> Call:
    headers = {"Content-Type": "application/json"}
    return Call(
        operation=operation, subject="the account", url=url, method=method, body=encode(body), headers=headers
    )


def read_ticket(call: Call, reply: Reply) -> Ticket:
    """What a right password is answered."""
    ticket: Ticket = _read(call, reply, _ticket)
    return ticket


def read_tokens(call: Call, reply: Reply) -> Tokens:
    """The tokens of a session that was begun."""
    tokens: Tokens = _read(call, reply, _tokens)
    return tokens


def read_renewed(refresh: str, call: Call, reply: Reply) -> Tokens:
    """The tokens of a session that was renewed; an answer without a refresh token leaves the one that was used."""
    tokens: Tokens = _read(call, reply, lambda data: _tokens(data, refresh))
    return tokens


def read_profile(call: Call, reply: Reply) -> Profile:
    """Whose session it is."""
    profile: Profile = _read(call, reply, _profile)
    return profile


def _read(call: Call, reply: Reply, reader: Any) -> Any:
    """As for any reply, but one that is not understood is not quoted."""
    try:
        return read(call, reply, reader)
    except MalformedResponse as error:
        what, path = error.what, error.path
    message = f"GMI's answer to log in was not understood: {what} @ {path}"
    raise MalformedResponse(message, what=what, path=path)


def _text(data: object, name: str, path: str = "") -> Secret:
    """A text of a body; raises `MalformedResponse` that names it, and shows nothing."""
    found = data.get(name) if isinstance(data, Mapping) else None
    if isinstance(found, str) and found and found.isascii() and found.isprintable():
        return Secret(found)
    raise MalformedResponse(f"missing @ {path}{name}", what="missing", path=f"{path}{name}")


def _ticket(data: Any) -> Ticket:
    return Ticket(token=_text(data, "authToken"), wants_code=data.get("is2FARequired") is True)


def _tokens(data: Any, used: str = "") -> Tokens:
    access = _text(data, "accessToken")
    stays = used and data.get("refreshToken") is None
    return Tokens(access=access, refresh=Secret(used) if stays else _text(data, "refreshToken"))


def _profile(data: Any) -> Profile:
    user = data.get("user") if isinstance(data, Mapping) else None
    user_id = str(_text(user, "id", "user."))
    assert isinstance(user, Mapping)
    found = data.get("organization")
    organization = found if isinstance(found, Mapping) else {}
    names = (str(user.get(part) or "") for part in ("firstName", "lastName"))
    return Profile(
        user_id=user_id,
        email=str(user.get("email") or ""),
        name=" ".join(filter(None, names)),
        organization=str(organization.get("id") or ""),
        role=str(organization.get("role") or ""),
    )
