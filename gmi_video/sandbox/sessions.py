"""One person's login at the console: tickets, access tokens and refresh tokens, told the time. Pure.

Access tokens are JWTs that name the user and their own end; a refresh token is good once. The bodies are those
that the vendor's Python SDK reads; its errors stand under `message`.
"""

import hmac
import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from hashlib import sha256
from random import Random

from attrs import define, field

from gmi_video.sandbox.answers import Answer

REFRESH_LASTS = 7 * 86_400
TICKET_LASTS = 300
WRONG_CODES = 3
"""Wrong one-time codes after which a ticket is void."""


def refused(status: int, text: str) -> Answer:
    """The account service's envelope of an error."""
    return Answer.of({"message": text}, status)


def _part(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


@define
class Sessions:
    """The one user of the console, and the tokens that are good."""

    email: str
    password: str
    code: str | None
    lasts: float
    rng: Random
    user_id: str
    org_id: str
    _tickets: dict[str, tuple[float, int]] = field(init=False, factory=dict)
    _access: dict[str, float] = field(init=False, factory=dict)
    _refresh: dict[str, float] = field(init=False, factory=dict)

    def login(self, now: float, body: Mapping[str, object]) -> Answer:
        """POST /me/auth-tokens: a ticket for e-mail and password."""
        if (body.get("email"), body.get("password")) != (self.email, self.password):
            return refused(401, "Invalid email or password")
        ticket = _part(self.rng.randbytes(24))
        self._tickets[ticket] = (now + TICKET_LASTS, 0)
        return Answer.of({"authToken": ticket, "is2FARequired": self.code is not None})

    def begin(self, now: float, body: Mapping[str, object]) -> Answer:
        """POST /me/sessions: tokens for a ticket, with the one-time code where one is wanted."""
        ticket = str(body.get("authToken") or "")
        dies, wrong = self._tickets.get(ticket, (0.0, 0))
        if now >= dies or wrong >= WRONG_CODES:
            return refused(401, "Invalid auth token")
        if self.code is not None and body.get("otpCode") != self.code:
            self._tickets[ticket] = (dies, wrong + 1)
            return refused(400, "Invalid one-time code")
        del self._tickets[ticket]
        return self._pair(now)

    def refresh(self, now: float, body: Mapping[str, object]) -> Answer:
        """PATCH /me/sessions: a new pair for a refresh token, which is dead then."""
        if now >= self._refresh.pop(str(body.get("refreshToken") or ""), 0.0):
            return refused(401, "Invalid refresh token")
        return self._pair(now)

    def good(self, now: float, token: str) -> bool:
        """Whether an access token is accepted now."""
        return now < self._access.get(token, 0.0)

    def expire(self, *, refresh: bool = False) -> None:
        """Every access token dies now; with `refresh` the refresh tokens as well."""
        self._access.clear()
        if refresh:
            self._refresh.clear()

    def profile(self) -> Answer:
        """GET /me/profile: the user, and the organisation that the session stands for."""
        user = {"id": self.user_id, "email": self.email, "firstName": "Ada", "lastName": "Sandbox"}
        return Answer.of({"user": user, "organization": {"id": self.org_id, "role": "owner"}})

    def _pair(self, now: float) -> Answer:
        access, refresh = self._token(now, self.lasts), self._token(now, REFRESH_LASTS)
        self._access = {token: dies for token, dies in self._access.items() if dies > now}
        self._access[access] = now + self.lasts
        self._refresh[refresh] = now + REFRESH_LASTS
        return Answer.of({"accessToken": access, "refreshToken": refresh})

    def _token(self, now: float, lasts: float) -> str:
        claims = {"userId": self.user_id, "iat": int(now), "exp": int(now + lasts)}
        told = {**claims, "jti": self.rng.randbytes(8).hex()}
        head = _part(json.dumps({"alg": "HS256", "typ": "JWT"}).encode())
        body = f"{head}.{_part(json.dumps(told).encode())}"
        return f"{body}.{_part(hmac.digest(self.user_id.encode(), body.encode(), sha256))}"
