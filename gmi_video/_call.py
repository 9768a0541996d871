"""What travels: a `Call`, its `Reply`, and whatever can send the one and bring the other."""

from collections.abc import AsyncIterable, AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Literal, Protocol

from attrs import field, frozen

Operation = Literal[
    "submit",
    "snapshot",
    "result",
    "requests",
    "models",
    "model",
    "media",
    "upload",
    "put",
    "login",
    "refresh",
    "profile",
]

BODY_CAP = 8 * 2**20
"""Bytes that an ordinary answer may have; a record is about 600."""
LIST_CAP = 64 * 2**20
"""Bytes that a page of the list may have: a page of 100 records is about 75 KiB, payload echoes may be large."""


@frozen(kw_only=True)
class Call:
    """One HTTP exchange to be made. `subject` names what it is about, for people; `url` is absolute once
    the call is signed, else a path below the base URL. Neither headers nor body are in the repr.
    `chunks` gives a body that is too large to hold; its length stands in the headers.
    """  # noqa: D205  # one thought

    operation: Operation
    subject: str
    url: str = field(repr=False)
    method: str = "GET"
    body: bytes | None = field(default=None, repr=False)
    chunks: Callable[[], AsyncIterable[Any]] | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(factory=dict, repr=False)
    cap: int = BODY_CAP
    timeout: float | None = None


@frozen(kw_only=True)
class Reply:
    """What came back whole: header names in lower case, body as bytes. What is `hidden` of it no error quotes."""

    status: int
    headers: Mapping[str, str] = field(factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    hidden: str = field(default="", repr=False)

    @property
    def shown(self) -> bytes:
        """The body as errors may quote it."""
        return self.body.replace(self.hidden.encode(), b"<secret>") if self.hidden else self.body

    @property
    def ok(self) -> bool:
        """Whether the status says success."""
        return 200 <= self.status < 300


class Stream(Protocol):
    """A reply whose body is read piece by piece."""

    @property
    def status(self) -> int:
        """The HTTP status."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """Header names in lower case."""
        ...

    def chunks(self) -> AsyncIterator[bytes]:
        """The body; raises `TransportError` leaves."""
        ...


class Transport(Protocol):
    """Sends calls. Raises `TransportError` leaves; `Unreachable` only if not one byte was sent."""

    async def send(self, call: Call) -> Reply:
        """The whole reply, at most `call.cap` bytes of body."""
        ...

    def stream(self, call: Call) -> AbstractAsyncContextManager[Stream]:
        """The reply as a stream, for files."""
        ...

    async def aclose(self) -> None:
        """Closes every connection; a second call does nothing."""
        ...
