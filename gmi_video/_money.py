"""The verbs that cost money, and those that find out what became of it."""

from attrs import evolve

from gmi_video._ledger import fingerprinted
from gmi_video._view import View
from gmi_video.errors import ConfigurationError
from gmi_video.ledger import Intent, State
from gmi_video.records import Snapshot, VideoRequest


class MoneyVerbs(View):
    """`submit`, and the ledger behind it."""

    async def submit(self, request: VideoRequest) -> Snapshot:
        """Asks for a video: the one call that costs money, sent once. The answer may already be final.

        Where the answer is lost, the request is looked for in the list (`Settings.on_uncertain`). Cancelling
        the caller stops nothing that was begun; observers are told of an id that nobody waited for.

        Raises:
            PayloadInvalid: the payload cannot be sent; nothing was.
            Unreachable: the service was not reached; nothing was sent.
            ResponseError: a definite refusal (`Rejected`, `InsufficientCredit`, `RateLimited`, …); not charged.
            SubmissionUncertain: the answer was lost, and the list does not decide; never sent again on its own.
        """
        wanted = _checked(request)
        state = await self._core.open()
        if self._settings.disambiguate == "seed" and wanted.payload.get("seed") is None:
            model = await self._core.model_for_seed(wanted.model)
            payload = fingerprinted(wanted.payload, model, self._core.rng) if model else None
            if payload is not None:
                unique = evolve(wanted, payload=payload)
                return await state.submissions.submit(unique, self._settings, self._store, fingerprint=True)
        return await state.submissions.submit(wanted, self._settings, self._store)

    async def recover(self, intent: Intent) -> Snapshot:
        """Finishes what a killed process began: its request is found, or, if provably unsent, sent now.

        Raises what `submit` raises: `SubmissionUncertain` where the list does not decide.
        """
        state = await self._core.open()
        if intent.request_id is not None and not intent.state.open:
            return await self._core.confirm(intent.request_id, self._settings)
        return await state.submissions.finish(intent, self._settings, self._store)

    async def uncertain(self) -> tuple[Intent, ...]:
        """The submissions of this store that may be charged and whose fate is not known, oldest first.

        Those that another process, or this one, is sending at this moment are among them.
        """
        return await self._store.undecided()

    async def resolve(
        self, intent: Intent, *, request_id: str | None = None, absent: bool = False
    ) -> Snapshot | None:
        """Decides an uncertain submission: it is request `request_id`, or it is `absent` and never ran.

        Returns the request's snapshot, or None for an absent one, which may then be submitted anew.
        Raises `ConfigurationError` for both or neither, and where the id is another submission's or another
        model's; then nothing is changed.
        """
        if (request_id is None) is not absent:
            message = "resolve(intent, request_id=…) says which request it is, resolve(intent, absent=True) that none is"
            raise ConfigurationError(message)
        if request_id is None:
            await self._store.put(
                evolve(intent, state=State.REJECTED, evidence="decided by the caller: absent")
            )
            return None
        snapshot = await self._core.confirm(request_id, self._settings)
        if snapshot.model not in ("", intent.model):
            message = (
                f"request {request_id} is of model {snapshot.model}, the submission was to {intent.model}"
            )
            raise ConfigurationError(message)
        if not await self._store.claim(request_id, intent.id):
            message = f"request {request_id} belongs to another submission"
            raise ConfigurationError(message)
        evidence = "decided by the caller"
        await self._store.put(evolve(intent, state=State.ACCEPTED, request_id=request_id, evidence=evidence))
        return snapshot

    def unfinished(self) -> tuple[str, ...]:
        """The ids submitted here whose end nobody received yet: what a SIGTERM handler should write down."""
        return self._core.unfinished


def _checked(request: object) -> VideoRequest:
    if not isinstance(request, VideoRequest):
        message = f"submit takes a VideoRequest(model, payload), not {type(request).__name__}"
        raise ConfigurationError(message)
    return request
