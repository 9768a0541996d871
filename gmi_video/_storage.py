"""The storage host: one answer of it at a time, over vetted redirects, without credentials."""

from collections.abc import AsyncIterator, Collection
from contextlib import AsyncExitStack, asynccontextmanager

import anyio
from attrs import evolve

from gmi_video._links import hop, vetted
from gmi_video._pulse import STALL
from gmi_video._range import Edition, Head, asking, head, is_page, whole_size
from gmi_video._refusal import retry_after
from gmi_video._stream import MediaStream
from gmi_video.errors import IntegrityError, TimedOut, TransferError, UnsafeURL
from gmi_video.records import Media, quoted, without_query
from gmi_video.wire import Stream, Transport, media_call

HOPS = 5
"""Redirects that are followed, each vetted."""

_DEAD = frozenset({400, 401, 403, 404, 410})
"""What a link past its time is answered with: 400 is the storage's own "ExpiredToken", the others are proxies'."""
_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})


class DeadError(Exception):
    """The host does not hand out what is behind a link; `status` is its answer."""

    def __init__(self, media: Media, status: int) -> None:
        super().__init__(f"the storage host does not hand out {quoted(media)} any more ({status})")
        self.status = status


class ChangedError(Exception):
    """What would come is not the rest of the edition that was named."""


class Storage:
    """Opens links. `loopback` says that the API is on this machine, so that the files may be as well.

    Where `hosts` are given, files lie at no other.
    """

    def __init__(self, transport: Transport, *, loopback: bool, hosts: Collection[str] | None = None) -> None:
        self._transport = transport
        self._loopback = loopback
        self._hosts = hosts

    def vet(self, media: Media) -> None:
        """Raises `UnsafeURL` for a link that is not followed."""
        vetted(media.url, loopback=self._loopback, hosts=self._hosts)

    @asynccontextmanager
    async def open(
        self, media: Media, *, start: int = 0, stop: int | None = None, edition: Edition | None = None
    ) -> AsyncIterator[MediaStream]:
        """The bytes from `start` up to `stop`, of this very edition where one is named.

        A host that does not know ranges sends all of it; what is not wanted is skipped, unless an edition is
        named: then the stream begins at 0. Raises `DeadError`, `ChangedError`, `TransferError`s and `TransportError`s.
        """
        async with self._followed(media, asking(start, stop, edition)) as stream:
            if stream.status == 416:
                yield _beyond(media, stream, start, edition)
                return
            if stream.status in _DEAD:
                raise DeadError(media, stream.status)
            found = head(media.url, stream.status, stream.headers) if stream.status in {200, 206} else None
            if stream.status == 206 and not _continues(found, start, edition):
                found = None
            if found is None and edition is not None and stream.status == 206:
                raise ChangedError
            if found is not None and stream.status == 200 and found.edition.size is not None and not edition:
                _reached(media, start, found.edition.size)
            if found is None or (stream.status == 206 and not start and stop is None):
                message = f"the storage host answered {stream.status} for {quoted(media)}, and not with what was asked for"
                wait = retry_after(None, stream.headers) if stream.status in _AGAIN else None
                asks = f"; it asks to be left alone for {wait:g} s" if wait else ""
                error = TransferError(message + asks, retryable=stream.status in _AGAIN)
                error.retry_after = wait
                raise error
            _media_only(media, stream, found)
            yield MediaStream(stream, media, found, start=found.start if edition else start, stop=stop)

    @asynccontextmanager
    async def _followed(self, media: Media, headers: dict[str, str]) -> AsyncIterator[Stream]:
        """The answer behind a link, after its redirects."""
        url = vetted(media.url, loopback=self._loopback, hosts=self._hosts)
        for _ in range(HOPS + 1):
            plain = media_call(media)
            call = evolve(plain, url=url, headers={**plain.headers, **headers})
            async with AsyncExitStack() as closing:
                with anyio.move_on_after(STALL) as waiting:
                    stream = await closing.enter_async_context(self._transport.stream(call))
                if waiting.cancelled_caught:
                    raise TimedOut(f"{quoted(media)}: no answer for {STALL:g} s")
                if not 300 <= stream.status < 400:
                    yield stream
                    return
                url = hop(url, stream.headers.get("location", ""), loopback=self._loopback, hosts=self._hosts)
        message = f"{quoted(media)} was redirected more than {HOPS} times"
        raise UnsafeURL(message)


def _continues(found: Head | None, start: int, edition: Edition | None) -> bool:
    """Whether a 206 says that it brings what was asked for."""
    return (
        found is not None and found.start == start and (edition is None or edition.continues(found.edition))
    )


def _media_only(media: Media, stream: Stream, found: Head) -> None:
    """Raises `IntegrityError` for what is no media by its type, or was packed though that was not wanted."""
    packed = (stream.headers.get("content-encoding") or "identity").strip().lower()
    if packed == "identity" and not is_page(found.content_type):
        return
    kind = found.content_type if packed == "identity" else f"something packed by {packed}"
    message = f"{quoted(media)} leads to {kind[:60]}, and to no media"
    raise IntegrityError(message)


def _beyond(media: Media, stream: Stream, start: int, edition: Edition | None) -> MediaStream:
    """The answer to a range that begins where the file ends: nothing. Raises for one that begins behind it."""
    size = whole_size(stream.headers)
    if edition is not None:
        raise ChangedError
    if size is None:
        raise TransferError(f"there is no byte {start:,} of {quoted(media)}")
    _reached(media, start, size)
    if start != size:
        raise TransferError(
            f"the storage host refuses byte {start:,} of {quoted(media)}, which has {size:,} bytes"
        )
    found = Head(edition=Edition(url=without_query(media.url), size=size), start=start, length=0)
    return MediaStream(stream, media, found, start=start)


def _reached(media: Media, start: int, size: int) -> None:
    """Raises `TransferError` for a range that begins behind the end of the file, whatever the host makes of it."""
    if start > size:
        message = f"there is no byte {start:,} of {quoted(media)}, which has {size:,} bytes"
        raise TransferError(message)
