"""Signed URLs of the storage host, version 4 as Google's: issued, and held against the call that uses one. Pure.

The signature is a keyed hash instead of RSA over the same text; its length and place are the real one's.
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from urllib.parse import parse_qsl, quote, urlencode

from attrs import field, frozen

from gmi_video.sandbox import storage
from gmi_video.sandbox.answers import Answer

_ALGORITHM = "GOOG4-RSA-SHA256"
_SIGNER = "uploader@gmi-video.iam.gserviceaccount.com"
_SIGNATURE = "X-Goog-Signature"
_WHEN = "%Y%m%dT%H%M%SZ"


@frozen
class Signer:
    """Issues signed URLs and refuses, in the storage's own words, calls that do not keep to them."""

    secret: bytes = field(repr=False)

    def query(
        self, method: str, host: str, path: str, now: float, lasts: int, *, content_type: str = ""
    ) -> str:
        """The query that lets `method` on `path` through for `lasts` seconds, with this very content type."""
        when = datetime.fromtimestamp(int(now), UTC).strftime(_WHEN)
        headers = {"content-type": content_type} if content_type else {}
        told = {
            "X-Goog-Algorithm": _ALGORITHM,
            "X-Goog-Credential": f"{_SIGNER}/{_scope(when)}",
            "X-Goog-Date": when,
            "X-Goog-Expires": str(lasts),
            "X-Goog-SignedHeaders": ";".join((*headers, "host")),
        }
        signature = self._signature(_to_sign(when, _canonical(method, path, told, {**headers, "host": host})))
        return urlencode({**told, _SIGNATURE: signature}, quote_via=quote)

    def ended(self, query: str, now: float) -> bool:
        """True where the query's time has passed by `now`."""
        ends = _ends(dict(parse_qsl(query)))
        return ends is not None and now >= ends

    def objection(
        self, method: str, path: str, query: str, headers: Mapping[str, str], now: float
    ) -> Answer | None:
        """What the storage says against a call with this query and these headers; None: nothing.

        A signed header that was not sent is 400 `MalformedSecurityHeader`, a URL past its time 400
        `ExpiredToken`, anything else that was not signed so 403 `SignatureDoesNotMatch`.
        """
        told = dict(parse_qsl(query))
        signature = told.pop(_SIGNATURE, "")
        names = told.get("X-Goog-SignedHeaders", "host").split(";")
        for name in names:
            if name not in headers:
                return storage.malformed_header(name)
        ends = _ends(told)
        if ends is None:
            return storage.access_denied()
        if now >= ends:
            return storage.expired_token(ends)
        signed = {name: headers[name] for name in names}
        canonical = _canonical(method, path, told, signed)
        to_sign = _to_sign(told["X-Goog-Date"], canonical)
        if signature != self._signature(to_sign):
            return storage.signature_does_not_match(to_sign, canonical)
        return None

    def _signature(self, to_sign: str) -> str:
        return hashlib.shake_256(self.secret + to_sign.encode()).hexdigest(256)


def signed(query: str) -> bool:
    """True where a call claims to be signed."""
    return f"{_SIGNATURE}=" in query


def _scope(when: str) -> str:
    return f"{when[:8]}/auto/storage/goog4_request"


def _canonical(method: str, path: str, told: Mapping[str, str], headers: Mapping[str, str]) -> str:
    query = urlencode(sorted(told.items()), quote_via=quote)
    lines: Sequence[str] = [f"{name}:{value}" for name, value in sorted(headers.items())]
    return "\n".join((method, path, query, *lines, "", ";".join(sorted(headers)), "UNSIGNED-PAYLOAD"))


def _to_sign(when: str, canonical: str) -> str:
    return "\n".join((_ALGORITHM, when, _scope(when), hashlib.sha256(canonical.encode()).hexdigest()))


def _ends(told: Mapping[str, str]) -> float | None:
    try:
        when = datetime.strptime(told["X-Goog-Date"], _WHEN).replace(tzinfo=UTC)
        return when.timestamp() + int(told["X-Goog-Expires"])
    except (KeyError, ValueError):
        return None
