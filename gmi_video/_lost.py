"""What to do about a submission whose answer was lost, or was a refusal that does not say why.

Adopt what is proven to be it, or say that it is not known. Nothing here is sent that costs money.
"""

from collections.abc import Awaitable, Callable

from attrs import define, evolve

from gmi_video._book import Book, Wish
from gmi_video._desk import CLOSED, LONGEST
from gmi_video._fate import Seen, no_capacity, uncertain, with_reason
from gmi_video._likeness import contains
from gmi_video._matter import Finding, in_window
from gmi_video._observe import Observers
from gmi_video._reconcile import Reconciler
from gmi_video._round import store_failed
from gmi_video.errors import BackendRefused, GmiVideoError, ResponseError
from gmi_video.ledger import Intent, State
from gmi_video.notices import Uncertain
from gmi_video.records import Snapshot, Status
from gmi_video.settings import Resubmit, Settings

Confirm = Callable[[str, Settings], Awaitable[Snapshot]]


@define(eq=False)
class SecondPosts:
    """How many second POSTs a session has made; it remembers that when it is closed and opened again."""

    made: int = 0

    def take(self, policy: object) -> bool:
        """Takes one, if the policy allows one more."""
        if not isinstance(policy, Resubmit) or self.made >= policy.at_most:
            return False
        self.made += 1
        return True

    def give_back(self) -> None:
        """The one that was taken was not sent."""
        self.made -= 1


class Lost:
    """Finds lost submissions of one session."""

    def __init__(
        self,
        book: Book,
        reconciler: Reconciler,
        observers: Observers,
        confirm: Confirm,
        second_posts: SecondPosts,
        *,
        lists: bool = True,
    ) -> None:
        self._book = book
        self._reconciler = reconciler
        self._observers = observers
        self._confirm = confirm
        self._second_posts = second_posts
        self._lists = lists

    async def search(self, wish: Wish, seen: Seen, *, may_repeat: Callable[[], bool]) -> Snapshot | None:
        """The request that a lost POST became; None where it may be posted again, which is counted.

        Raises `SubmissionUncertain`, and the refusal where its failed record is found.
        """
        self._book.mark(wish, State.AMBIGUOUS, seen.evidence, status=seen.status)
        await self._book.keep(wish)
        if wish.settings.on_uncertain == "raise":
            raise await self.undecided(wish, seen)
        finding = await self._salvaged(wish, seen) or await self._looked_for(wish)
        if finding.snapshot is not None:
            return await self._found(wish, finding, finding.snapshot, None)
        if (
            finding.outcome == "absent"
            and may_repeat()
            and self._second_posts.take(wish.settings.on_uncertain)
        ):
            self._book.mark(wish, State.ABSENT, finding.evidence)
            await self._book.keep(wish)
            return None
        evidence = f"{seen.evidence}; {finding.evidence}" if finding.evidence else seen.evidence
        candidates = finding.candidates or seen.candidates
        raise await self.undecided(wish, evolve(seen, evidence=evidence, candidates=candidates))

    async def unsent_again(self, wish: Wish, error: GmiVideoError) -> GmiVideoError:
        """What is raised where the second POST was not sent: of the first one no more is known than before."""
        self._second_posts.give_back()
        return await self.undecided(wish, Seen(evidence=f"{wish.intent.evidence}; not sent again: {error}"))

    async def refused(self, wish: Wish, error: ResponseError) -> Snapshot:
        """Raises a definite refusal: the backend's with its reason, one for want of capacity after one look."""
        looks = self._lists and wish.settings.on_uncertain != "raise"
        self._book.mark(wish, State.REJECTED, str(error), status=error.status)
        if no_capacity(error) and looks:
            finding = await self._find(wish, once=True)
            if finding.snapshot is not None:
                return await self._found(wish, finding, finding.snapshot, error)
        if isinstance(error, BackendRefused):
            settle = wish.settings.settle
            longest = (
                wish.settings.submit_timeout + 2 * settle + LONGEST
            )  # as somebody may be lost who sends now
            self._reconciler.refused(wish.timed, seconds=longest)
            record = await self._reconciler.reason(wish.timed, wish.store, settle=settle) if looks else None
            error = with_reason(error, record)
        await self._book.keep(wish)
        raise error

    async def _looked_for(self, wish: Wish) -> Finding:
        return await self._find(wish) if self._lists else Finding(outcome="wait", evidence=UNLISTED)

    async def _find(self, wish: Wish, *, once: bool = False) -> Finding:
        return await self._reconciler.find(
            wish.timed,
            wish.store,
            settle=wish.settings.settle,
            alone=wish.settings.writers == "alone" or wish.store.shared,
            once=once,
        )

    async def _found(
        self, wish: Wish, finding: Finding, snapshot: Snapshot, refusal: ResponseError | None
    ) -> Snapshot:
        if finding.outcome == "adopt":
            return await self._book.accepted(wish, snapshot, evidence=finding.evidence)
        intent = self._book.mark(wish, State.REJECTED, request_id=snapshot.request_id)
        await self._book.keep(wish)
        error = refusal or BackendRefused(
            f"GMI refused to submit a request to {intent.model} ({intent.status})",
            status=intent.status or 500,
        )
        raised = with_reason(error, snapshot)
        raised.key = wish.request.key
        raise raised

    async def _salvaged(self, wish: Wish, seen: Seen) -> Finding | None:
        """The request whose id stood complete in a broken answer, once a look has confirmed it."""
        intent = wish.intent
        if len(seen.salvaged) != 1:
            return None
        try:
            snapshot = await self._confirm(seen.salvaged[0], wish.settings)
        except GmiVideoError:
            return None
        if not _may_be(intent, snapshot, wish.settings.settle):
            return None
        try:
            if not await self._reconciler.memory.claim(snapshot.request_id, intent, wish.store):
                return None
        except Exception as error:  # noqa: BLE001  # the border to the caller's store
            store_failed(error, intent.model)
        failed = snapshot.status is Status.FAILED and seen.status is not None and seen.status >= 500
        return Finding(outcome="refused" if failed else "adopt", snapshot=snapshot, evidence=SALVAGED)

    async def undecided(self, wish: Wish, seen: Seen) -> GmiVideoError:
        """The error of a submission that nobody can decide; it is kept, and observers are told."""
        self._book.mark(wish, State.NEEDS_DECISION, seen.evidence, candidates=seen.candidates)
        await self._book.keep(wish)
        return self.told(wish, seen)

    async def broken_off(self, wish: Wish) -> None:
        """Keeps what is known of a submission that is broken off because the session closes."""
        if wish.intent.state.open:
            self._book.mark(wish, State.AMBIGUOUS, CLOSED)
        await self._book.keep(wish)

    def told(self, wish: Wish, seen: Seen) -> GmiVideoError:
        """Tells the observers that a submission is undecided; returns its error."""
        names = seen.candidates
        self._observers.tell(Uncertain(model=wish.intent.model, key=wish.request.key, candidates=names))
        return uncertain(wish.intent, evolve(seen, listed=self._lists))


SALVAGED = "its id stood in the broken answer"
UNLISTED = "this door has no list of requests to look for it in"


def _may_be(intent: Intent, snapshot: Snapshot, settle: float) -> bool:
    """Whether nothing speaks against a record whose id stood in the answer: an echo, a time, a model."""
    if snapshot.model not in ("", intent.model) or not in_window(intent, snapshot, settle):
        return False
    return not snapshot.payload or contains(snapshot.payload, intent.payload)
