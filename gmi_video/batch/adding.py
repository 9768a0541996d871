"""What is added to a batch, as it comes: checked, read off the loop, and a handful at a time."""

import asyncio
import itertools
import sys
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from decimal import Decimal, InvalidOperation
from pathlib import Path

from gmi_video.batch.lines import NewLine, Refusal, key_text, line_of
from gmi_video.batch.places import digest
from gmi_video.batch.prices import Prices
from gmi_video.errors import ConfigurationError, PayloadInvalid
from gmi_video.records import VideoRequest

CHUNK = 500
"""Requests that are taken from an iterable before they are written and the loop gets a turn."""
SOON = 0.02
"""Seconds for which a slow producer's next request is waited for before those at hand are written."""

Requests = Iterable[VideoRequest] | AsyncIterable[VideoRequest]


def dollars(name: str, value: Decimal | str | float | None) -> Decimal | None:
    """An amount of money, exactly as it is written; raises `ConfigurationError` for what is none."""
    try:
        amount = None if value is None else Decimal(str(value))
    except InvalidOperation:
        amount = Decimal(-1)
    if amount is not None and not (amount.is_finite() and amount >= 0):
        message = f"{name} is {value!r}; US dollars are wanted, such as '20' or Decimal('0.35')"
        raise ConfigurationError(message)
    return amount


def whole(name: str, value: object, least: int, most: int = sys.maxsize) -> int:
    """A whole number between two others; raises `ConfigurationError` for anything else."""
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        span = f"of at least {least}" if most == sys.maxsize else f"from {least} to {most}"
        message = f"{name} is {value!r}; a whole number {span} is wanted"
        raise ConfigurationError(message)
    return value


async def readied(
    chunk: list[VideoRequest], prices: Prices | None, before: int
) -> tuple[list[NewLine], Refusal]:
    """The requests up to the first that is refused, as the journal takes them; `before` came in earlier chunks."""
    lines, refusal = await asyncio.get_running_loop().run_in_executor(None, lines_of, chunk, before)
    if prices is None:
        return lines, refusal
    for index, line in enumerate(lines):
        cost, _ = await prices.of(line.request.model, line.request.payload, needed=True)
        if cost is None:
            message = (
                f"{_which(line.request, before + index)}: the catalog names no price of {line.request.model} for "
                "this payload, and a budget is set; give assume_price=…"
            )
            return lines[:index], ConfigurationError(message)
    return lines, refusal


def lines_of(chunk: list[VideoRequest], before: int = 0) -> tuple[list[NewLine], Refusal]:
    """As `readied`, without prices; local files are read, so this runs off the loop."""
    seen: dict[str, str] = {}
    lines: list[NewLine] = []
    for request in chunk:
        given: object = request
        if not isinstance(given, VideoRequest):
            message = f"add takes VideoRequest(model, payload)s, not {type(request).__name__}"
            return lines, ConfigurationError(message)
        try:
            lines.append(line_of(request, lambda path: _digest(path, seen)))
        except (PayloadInvalid, ConfigurationError) as error:
            return lines, type(error)(f"{_which(request, before + len(lines))}: {error}")
        except Exception as error:  # noqa: BLE001  # the caller's own objects, or a payload without end
            return lines, error
    return lines, None


def _which(request: VideoRequest, before: int) -> str:
    """A request as its caller finds it."""
    return f"request {before + 1}" + ("" if request.key is None else f" (key {key_text(request.key)})")


def _digest(path: str, seen: dict[str, str]) -> str:
    if path not in seen:
        try:
            seen[path] = digest(Path(path))[1]
        except OSError as error:
            message = f"{path!r} cannot be read: {error.strerror}"
            raise ConfigurationError(message) from None
    return seen[path]


async def chunks(requests: Requests) -> AsyncIterator[list[VideoRequest]]:
    """Requests in handfuls: from a sync iterable full ones, from an async one what is at hand.

    What the iterable raises is raised once all that it gave before is handed over.
    """
    if isinstance(requests, VideoRequest):
        message = "add takes many requests: add([request])"
        raise ConfigurationError(message)
    coming = _handfuls(iter(requests)) if not isinstance(requests, AsyncIterable) else _at_hand(requests)
    async for gathered, error in coming:
        if gathered:
            yield gathered
        if error is not None:
            raise error


Handful = tuple[list[VideoRequest], Exception | None]
"""Some requests, and what the iterable raised after them, if it did."""


async def _handfuls(source: Iterator[VideoRequest]) -> AsyncIterator[Handful]:
    while True:
        gathered: list[VideoRequest] = []
        try:
            for request in itertools.islice(source, CHUNK):
                gathered.append(request)  # noqa: PERF402  # what came stays, whatever is raised after it
        except Exception as error:  # noqa: BLE001  # the border to the caller's iterable
            yield gathered, error
            return
        yield gathered, None
        if len(gathered) < CHUNK:
            return


async def _at_hand(requests: AsyncIterable[VideoRequest]) -> AsyncIterator[Handful]:
    coming = requests.__aiter__()
    gathered: list[VideoRequest] = []
    waiting: asyncio.Future[VideoRequest] = asyncio.ensure_future(anext(coming))
    try:
        while True:
            await asyncio.wait((waiting,), timeout=SOON if gathered else None)
            if waiting.done():
                try:
                    gathered.append(waiting.result())
                except StopAsyncIteration:
                    break
                except Exception as error:  # noqa: BLE001  # as above
                    yield gathered, error
                    return
                waiting = asyncio.ensure_future(anext(coming))
                if len(gathered) < CHUNK:
                    continue
            yield gathered, None
            gathered = []
        yield gathered, None
    finally:
        waiting.cancel()
