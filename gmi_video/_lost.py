"""What to do about a submission whose answer was lost, or was a refusal that does not say why.

Adopt what is proven to be it, or say that it is not known. Nothing here is sent that costs money.
"""

from collections.abc import Awaitable, Callable

from attrs import evolve

from gmi_video._book import Book, Wish
from gmi_video._fate import Seen, no_capacity, uncertain, with_reason
from gmi_video._ledger import Finding
from gmi_video._observe import Observers
from gmi_video._reconcile import ABSENT, Reconciler
from gmi_video.errors import BackendRefused, GmiVideoError, ResponseError
from gmi_video.ledger import Intent, State
from gmi_video.notices import Uncertain
from gmi_video.records import Snapshot
from gmi_video.settings import Resubmit, Settings

Confirm = Callable[[str, Settings], Awaitable[Snapshot]]


class Lost:
    """Finds lost submissions of one session, and counts the second posts that were allowed."""

    def __init__(self, book: Book, reconciler: Reconciler, observers: Observers, confirm: Confirm) -> None:
        self._book = book
        self._reconciler = reconciler
        self._observers = observers
        self._confirm = confirm
        self._second_posts = 0

    async def search(self, intent: Intent, wish: Wish, seen: Seen) -> Snapshot | None:
        """The request that a lost POST became; None where it may be posted again.

        Raises `SubmissionUncertain`, and the refusal where its failed record is found.
        """
        intent = evolve(self._book.marked(intent, State.AMBIGUOUS, seen.evidence), status=seen.status)
        await self._book.kept(wish, intent)
        if wish.settings.on_uncertain == "raise":
            raise await self._undecided(intent, wish, seen)
        if (snapshot := await self._salvaged(intent, wish, seen)) is not None:
            return await self._book.accepted(
                intent, wish, snapshot, evidence="its id stood in the broken answer"
            )
        finding = await self._find(intent, wish)
        if finding.snapshot is not None:
            return await self._found(intent, wish, finding, None)
        if finding.evidence == ABSENT and self._may_post_again(wish):
            self._second_posts += 1
            await self._book.kept(wish, evolve(intent, state=State.ABSENT, evidence=ABSENT))
            return None
        evidence = f"{seen.evidence}; {finding.evidence}" if finding.evidence else seen.evidence
        candidates = finding.candidates or seen.candidates
        raise await self._undecided(intent, wish, evolve(seen, evidence=evidence, candidates=candidates))

    async def refused(self, intent: Intent, wish: Wish, error: ResponseError) -> Snapshot:
        """Raises a definite refusal: the backend's with its reason, one for want of capacity after one look."""
        looks = wish.settings.on_uncertain != "raise"
        lost = evolve(self._book.marked(intent, State.REJECTED, str(error)), status=error.status)
        if no_capacity(error) and looks:
            finding = await self._find(lost, wish, once=True)
            if finding.snapshot is not None:
                return await self._found(lost, wish, finding, error)
        if isinstance(error, BackendRefused) and looks:
            record = await self._reconciler.reason(lost, wish.store, settle=wish.settings.settle)
            error = with_reason(error, record)
        await self._book.kept(wish, lost)
        raise error

    def _may_post_again(self, wish: Wish) -> bool:
        policy = wish.settings.on_uncertain
        return isinstance(policy, Resubmit) and self._second_posts < policy.at_most

    async def _find(self, intent: Intent, wish: Wish, *, once: bool = False) -> Finding:
        settings = wish.settings
        alone = settings.writers == "alone" or wish.store.shared
        return await self._reconciler.find(intent, wish.store, settle=settings.settle, alone=alone, once=once)

    async def _found(
        self, intent: Intent, wish: Wish, finding: Finding, refusal: ResponseError | None
    ) -> Snapshot:
        snapshot = finding.snapshot
        assert snapshot is not None
        if finding.outcome == "adopt":
            return await self._book.accepted(intent, wish, snapshot, evidence=finding.evidence)
        await self._book.kept(wish, evolve(intent, state=State.REJECTED, request_id=snapshot.request_id))
        error = refusal or BackendRefused(
            f"GMI refused to submit a request to {intent.model} ({intent.status})",
            status=intent.status or 500,
        )
        raised = with_reason(error, snapshot)
        raised.key = wish.request.key
        raise raised

    async def _salvaged(self, intent: Intent, wish: Wish, seen: Seen) -> Snapshot | None:
        """The request whose id stood complete in a broken answer, once a look has confirmed it."""
        if len(seen.candidates) != 1:
            return None
        try:
            snapshot = await self._confirm(seen.candidates[0], wish.settings)
        except GmiVideoError:
            return None
        if snapshot.model not in ("", intent.model):
            return None
        return snapshot if await wish.store.claim(snapshot.request_id, intent.id) else None

    async def _undecided(self, intent: Intent, wish: Wish, seen: Seen) -> GmiVideoError:
        names = seen.candidates
        intent = evolve(intent, state=State.NEEDS_DECISION, evidence=seen.evidence, candidates=names)
        await self._book.kept(wish, intent)
        self._observers.tell(Uncertain(model=intent.model, key=wish.request.key, candidates=names))
        return uncertain(intent.model, wish.request.key, seen, intent=intent, attempts=intent.attempt)
