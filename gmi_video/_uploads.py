"""Files to the storage host: streamed, without credentials, each attempt from the first byte by a link of its own."""

import asyncio
import hashlib
from collections.abc import Callable
from random import Random
from types import TracebackType
from typing import Protocol, Self, TypeVar

import anyio

from gmi_video._backoff import delay
from gmi_video._budget import Budget
from gmi_video._contents import Contents, changed
from gmi_video._digests import fastest
from gmi_video._observe import shielded
from gmi_video._offload import ended
from gmi_video._presigned import (
    FRESH,
    Refusal,
    Slot,
    checksums,
    forms_of,
    judged,
    put_call,
    read_slot,
    slot_call,
)
from gmi_video.errors import GmiVideoError, Incomplete, TimedOut, TransferError
from gmi_video.settings import Settings
from gmi_video.transfer import Transfer
from gmi_video.wire import Call, Reply, Transport

T = TypeVar("T")

TRIES = 3
"""Links that one upload may use up: each attempt has a fresh one, and a new reader."""
PIECE, LARGEST = 1 << 16, 2 << 20
"""Bytes that are handed to the connection at once, at first and at most; each that it takes at once doubles the next."""
PROMPT = 0.2
"""Seconds in which a connection takes what it is given where it is fast."""
STALL = 30.0
"""Seconds in which the connection must take a piece, and some more for a large one:"""
SLOWEST = 1 << 14
"""bytes a second that it must take of it then. No line that is worth waiting for is so slow."""
ANSWER = 120.0
"""Seconds for what the system still holds to leave, and for the storage's answer."""

TELL_EVERY = 0.1
"""Seconds between two words about progress; the first and the last are always said."""

Progress = Callable[[Transfer], object]
"""Is told how far a file has gone out; it begins again at 0 with each attempt."""


class Patient(Protocol):
    """Makes a call that costs nothing, again where that may help."""

    async def __call__(self, call: Call, settings: Settings, read: Callable[[Call, Reply], T]) -> T:
        """What `read` makes of the reply."""
        ...


class Uploads:
    """All uploads of a session, under a limit of their own: `Limits.downloads` of its `settings`.

    They are repeated from a `budget`, which all transfers of a session share.
    """

    def __init__(
        self,
        transport: Transport,
        patient: Patient,
        settings: Settings,
        *,
        loopback: bool,
        rng: Random,
        budget: Budget,
    ) -> None:
        self._budget = budget
        self._transport = transport
        self._patient = patient
        self._limit = anyio.CapacityLimiter(settings.limits.downloads)
        self._loopback = loopback
        self._hosts = settings.storage_hosts
        self._rng = rng

    async def send(self, contents: Contents, settings: Settings, progress: Progress | None = None) -> str:
        """The public link of what was sent; raises `TransferError` leaves, and `TransportError`."""
        forms = list(forms_of(contents.kind))
        attempt, spent = 1, 0.0
        async with self._limit:
            while True:
                file_type, content_type = forms[0]
                slot = await self._slot(file_type, settings)
                refusal = await self._put(slot, contents, content_type, progress)
                if refusal is None:
                    self._budget.refund(spent)
                    return slot.public_url
                error, price = refusal.error, None
                if error.retryable and attempt < TRIES:
                    price = self._budget.spend(error)
                if price is None:
                    error.attempts = attempt
                    try:
                        raise error
                    finally:  # else its traceback, and what was to be sent, wait for the collector
                        del error, refusal
                spent = price
                if refusal.another_type:
                    forms = forms[1:] or forms
                await asyncio.sleep(delay(attempt, settings.patience, self._rng))
                attempt += 1

    async def _slot(self, file_type: str, settings: Settings) -> Slot:
        """A place that is fresh enough to be used."""
        call, loop = slot_call(file_type), asyncio.get_running_loop()
        for _ in range(TRIES):
            asked = loop.time()
            slot: Slot = await self._patient(
                call,
                settings,
                lambda call, reply: read_slot(call, reply, loopback=self._loopback, hosts=self._hosts),
            )
            if loop.time() - asked <= FRESH:
                return slot
        message = f"GMI's links for an upload were older than {FRESH / 60:g} minutes when they came"
        raise TransferError(message, retryable=True)

    async def _put(
        self, slot: Slot, contents: Contents, content_type: str, progress: Progress | None
    ) -> Refusal | None:
        """One attempt. Raises only what the source raised: there is no use in another one then."""
        reply: Reply | None = None
        failed: GmiVideoError | None = None
        with anyio.CancelScope() as scope:
            async with Sending(contents, scope, progress) as sending:
                call = put_call(slot, contents.name, content_type, contents.size, lambda: sending)
                try:
                    reply = await self._transport.send(call)
                except GmiVideoError as error:
                    failed = error.with_traceback(None)  # it would hold this frame, and the blocks
        if sending.aggrieved:
            raise sending.grievance()
        if scope.cancelled_caught:
            failed = TimedOut(f"put {contents.name!r}: the storage host neither took a byte nor answered")
        if failed is not None or reply is None:
            assert failed is not None
            return Refusal(failed)
        if reply.ok and not sending.whole:
            message = f"the storage host answered before all of {contents.name!r} was sent to it"
            return Refusal(Incomplete(message))
        sent = {sending.checksum.name: sending.checksum.digest()}
        if reply.ok and sent.keys().isdisjoint(told := checksums(reply.headers)) and "md5" in told:
            sent["md5"] = await _md5(contents)
        refusal = judged(contents.name, reply, sent)
        if refusal is None:
            sending.tell(surely=True)
        return refusal


async def _md5(contents: Contents) -> bytes:
    """The MD5 of a source, read anew: for a host that tells no other, where one that is quicker was taken."""
    md5 = hashlib.md5(usedforsecurity=False)
    blocks = contents.blocks(md5.update)
    try:
        while await blocks.read():
            continue
    finally:
        await ended(asyncio.ensure_future(blocks.close()))
    return md5.digest()


class Sending:
    """One attempt: the pieces of a source as the connection asks for them, their checksum, and how far it came.

    The deadline of `scope` is put off with each piece that the connection takes, so that the time of a slow
    source does not count.
    """

    def __init__(self, contents: Contents, scope: anyio.CancelScope, progress: Progress | None) -> None:
        self._contents = contents
        self._scope = scope
        self._progress = progress
        self.checksum = fastest()
        self._blocks = contents.blocks(self.checksum.update)
        self._left = memoryview(b"")
        self._sent = 0
        self._told = float("-inf")
        self._loop = asyncio.get_running_loop()
        self._piece = PIECE
        self._given = float("-inf")
        scope.deadline = self._loop.time() + STALL
        self._trouble: Exception | None = None
        self._trace: TracebackType | None = None

    @property
    def whole(self) -> bool:
        """Whether the connection took all of it."""
        return self._sent == self._contents.size

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> memoryview:
        if self.whole:
            raise StopAsyncIteration
        prompt = self._loop.time() - self._given < PROMPT
        self._piece = min(2 * self._piece, LARGEST) if prompt else PIECE
        try:
            if not self._left:
                await self._fill()
        except Exception as error:
            self._trouble, self._trace = error, error.__traceback__
            raise
        self.tell()
        piece, self._left = self._left[: self._piece], self._left[self._piece :]
        self._sent += len(piece)
        self._given = self._loop.time()
        self._scope.deadline = self._given + len(piece) / SLOWEST + (ANSWER if self.whole else STALL)
        return piece

    async def _fill(self) -> None:
        """Some more bytes of the source.

        Before the last of them go out, the source must have come to its end: nobody asks for more than its length.
        """
        self._scope.deadline = float("inf")
        block = await self._blocks.read()
        missing = self._contents.size - self._sent - len(block)
        if missing < 0 or not block or (missing == 0 and await self._blocks.read()):
            raise changed(self._contents)
        self._left = memoryview(block)

    @property
    def aggrieved(self) -> bool:
        """Whether the source raised something."""
        return self._trouble is not None

    def grievance(self) -> Exception:
        """What the source raised, which the connection would not pass on; without its frames, where the link stands. Once."""
        trouble, trace = self._trouble, self._trace
        self._trouble = self._trace = None
        assert trouble is not None
        return trouble.with_traceback(trace)

    def tell(self, *, surely: bool = False) -> None:
        """Tells how far it came, now and then; `surely` where it is the last word."""
        now = self._loop.time()
        if self._progress is None or not (surely or now - self._told >= TELL_EVERY):
            return
        self._told = now
        contents = self._contents
        shielded(self._progress, Transfer(name=contents.name, done=self._sent, total=contents.size))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._left = memoryview(b"")
        await ended(asyncio.ensure_future(self._blocks.close()))
