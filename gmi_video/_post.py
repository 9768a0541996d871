"""One POST of a submission: in the store before its first byte may leave, and what its answer proves."""

from collections.abc import Awaitable, Callable

import anyio

from gmi_video._book import Book, Stand, Wish
from gmi_video._fate import Seen, read_fate, salvaged
from gmi_video._reconcile import Reconciler
from gmi_video.errors import ConfigurationError, GmiVideoError, ResponseError, Unreachable
from gmi_video.records import Snapshot
from gmi_video.settings import Settings
from gmi_video.wire import Call, Reply, read_submission

Exchange = Callable[[Call, Settings], Awaitable[Reply]]


class Post:
    """Sends submissions of one session. `ready` gets the key, which may fail, while nothing was begun yet."""

    def __init__(
        self,
        exchange: Exchange,
        ready: Callable[[], Awaitable[object]],
        reconciler: Reconciler,
        book: Book,
        read: Callable[[Call, Reply], Snapshot] = read_submission,
    ) -> None:
        self._exchange = exchange
        self._ready = ready
        self._reconciler = reconciler
        self._book = book
        self._read = read

    async def send(self, wish: Wish, wanted: Callable[[Wish], bool]) -> tuple[Snapshot, bytes] | Seen:
        """Sends, once the store has it that this is being sent; raises definite refusals.

        Raises `Unreachable` and `ConfigurationError`, and what the store and a callable key raise, where not
        one byte was sent; then the intent is what it was before. Before a second POST theirs is `Unreachable` as
        well: their error alone would say nothing of the first.
        """
        before = wish.stand
        try:
            await self._ready()
            first = self._book.sending(wish)
            await wish.store.put(wish.intent)
            _check(wanted(wish))
        except BaseException as error:
            await self.unsent(wish, before)
            if not before.begun or isinstance(error, GmiVideoError) or not isinstance(error, Exception):
                raise
            failed = type(error).__name__
        else:
            failed = ""
        if failed:
            message = f"what must be done before sending failed ({failed})"
            raise Unreachable(message, retryable=False)
        wish.sent = first
        try:
            return read_fate(wish.call, await self._exchange(wish.call, wish.settings), self._read)
        except (Unreachable, ConfigurationError):
            await self.unsent(wish, before)
            raise
        except ResponseError:
            raise
        except GmiVideoError as error:
            return Seen(evidence=str(error), salvaged=salvaged(getattr(error, "partial", b"")))
        except Exception as error:  # noqa: BLE001  # the border to the caller's transport: it proves nothing
            return Seen(evidence=f"the transport failed ({type(error).__name__})")

    async def unsent(self, wish: Wish, before: Stand) -> None:
        """Brings back what was before a POST of which not one byte was sent, or that was refused for now."""
        kept = wish.intent is not before.intent
        wish.intent, wish.sent, wish.ended, wish.moment = (
            before.intent,
            before.sent,
            before.ended,
            before.moment,
        )
        self._reconciler.settled(wish.intent)
        if kept:
            with anyio.CancelScope(shield=True):
                await self._book.keep(wish)
        wish.begun = before.begun


def _check(wanted: bool) -> None:  # noqa: FBT001  # private, and named at its one call
    if not wanted:
        message = "nobody waited for it any more before it was sent"
        raise Unreachable(message, retryable=False)
