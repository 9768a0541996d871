"""The console's session: the async callable that gives its access token, by refreshing or by logging in.

It is asked as any `api_key` callable is (see `_keyring`): once for all who wait.
"""

import json
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from contextlib import nullcontext
from functools import partial
from inspect import isawaitable
from random import Random
from typing import TypeVar

from attrs import evolve

from gmi_video._account import (
    Ticket,
    Tokens,
    read_renewed,
    read_ticket,
    read_tokens,
    refresh_call,
    session_call,
    ticket_call,
)
from gmi_video._observe import logger
from gmi_video._patient import patient
from gmi_video._refusal import EDGE
from gmi_video._secret import Secret
from gmi_video.errors import (
    ConfigurationError,
    GmiVideoError,
    NotEntitled,
    NotFound,
    Rejected,
    ResponseError,
    Unauthorized,
)
from gmi_video.login import Login, OneTimeCode
from gmi_video.settings import Patience
from gmi_video.wire import Call, Reply

CODES = 3
"""One-time codes that a login may try, as the vendor's SDK does."""
REFUSED = (Unauthorized, Rejected, NotEntitled, NotFound)
"""What says that a password, a code or a token is not good, rather than that the service is not well."""

T = TypeVar("T")


class Console:
    """The session of one login. `send` makes a call of the account's; its refresh token is good for one renewal."""

    def __init__(
        self, login: Login, send: Callable[[Call], Awaitable[Reply]], patience: Patience, rng: Random
    ) -> None:
        self._login = login
        self._send = send
        self._patience = patience
        self._rng = rng
        self._refresh: str | None = None
        self._told: deque[str] = deque(maxlen=8)

    async def __call__(self) -> str:
        """An access token; raises `Unauthorized` where neither token nor password is good any more.

        What else is raised was tried with patience here, and is not worth trying again at once.
        """
        try:
            async with self._login.keep.hold() if self._login.keep is not None else nullcontext():
                return await self._tokens()
        except REFUSED as error:
            refusal = Unauthorized(str(error), status=error.status, words=error.message)
        except GmiVideoError as error:
            error.retryable = False
            raise
        raise refusal

    async def _tokens(self) -> str:
        tokens = await self._renewed() or await self._logged_in()
        self._refresh = tokens.refresh
        if self._login.keep is not None:
            try:
                await self._login.keep.save(tokens.refresh)
            except Exception as error:  # noqa: BLE001  # the border to the caller's store of tokens
                logger.error("the login could not be kept (%s)", type(error).__name__)
        return tokens.access

    async def _renewed(self) -> Tokens | None:
        """The next pair of tokens; None where no refresh token is good.

        The one that is kept goes first: another process may have used up our own, and replaced it there.
        """
        tried: set[str] = set()
        for find in (self._kept, self._own):
            token = await find()
            if token is None or token in tried:
                continue
            tried.add(token)
            try:
                return await self._asked(refresh_call(token), partial(read_renewed, token), token)
            except REFUSED as error:
                if EDGE in str(error):  # it did not come as far as the account: the token lives
                    raise
                self._refresh = None if token == self._refresh else self._refresh
        return None

    async def _own(self) -> str | None:
        return self._refresh

    async def _kept(self) -> str | None:
        if self._login.keep is None:
            return None
        try:
            found = await self._login.keep.load()
        except Exception as error:  # noqa: BLE001  # the border to the caller's store of tokens
            logger.error("the kept login could not be read (%s)", type(error).__name__)
            return None
        return Secret(found) if found else None

    async def _logged_in(self) -> Tokens:
        login = self._login
        if not login.complete:
            message = "the login that was kept has ended: log in again (gmi-video login)"
            raise Unauthorized(message, status=401)
        call = ticket_call(login.email, login.password)
        ticket = await self._asked(call, read_ticket)
        if not ticket.wants_code:
            return await self._session(ticket, None)
        return await self._with_code(ticket)

    async def _with_code(self, ticket: Ticket) -> Tokens:
        """Asks for a code, and again where it was wrong."""
        ask = self._login.one_time_code
        if ask is None:
            message = (
                "this account asks for a one-time code: pass Login(one_time_code=…), an async callable that gets "
                "the number of the attempt and gives the code"
            )
            raise Unauthorized(message, status=401)
        refused: ResponseError | None = None
        for attempt in range(1, CODES + 1):
            try:
                return await self._session(ticket, await _code(ask, attempt))
            except REFUSED as error:
                refused = error
        assert refused is not None
        raise refused

    async def _session(self, ticket: Ticket, code: str | None) -> Tokens:
        return await self._asked(session_call(ticket, code), read_tokens, ticket.token, code or "")

    async def _asked(self, call: Call, read: Callable[[Call, Reply], T], *secrets: str) -> T:
        """What a call of the account's brings, with patience. No error repeats what was sent in confidence."""
        self._told.extend(secrets)
        known = (*self._told, self._login.password, self._login.email)

        async def attempt() -> T:
            reply = await self._send(call)
            return read(call, reply if reply.ok else evolve(reply, body=without(reply.body, known)))

        return await patient(attempt, self._patience, self._rng)


async def _code(ask: OneTimeCode, attempt: int) -> Secret:
    """What the caller's callable gives; raises `ConfigurationError` where that is no code, and sends nothing."""
    asked: object = ask(attempt)
    given = await asked if isawaitable(asked) else None
    if isinstance(given, str) and given.strip():
        return Secret(given.strip())
    message = "the callable given as one_time_code is async, gets the attempt's number, and returns the code as a string"
    raise ConfigurationError(message)


def without(body: bytes, secrets: Iterable[str]) -> bytes:
    """A body in which no secret stands, neither plain nor as JSON writes it."""
    for secret in filter(None, secrets):
        for shown in (secret.encode(), json.dumps(str(secret))[1:-1].encode()):
            body = body.replace(shown, b"<secret>")
    return body
