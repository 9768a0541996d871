"""The verbs that cost money, and those that find out what became of it."""

from random import Random
from typing import Any

from attrs import evolve

from gmi_video._likeness import fingerprinted
from gmi_video._offload import GivenUp, breakable
from gmi_video._payload import plain
from gmi_video._supply import Supply
from gmi_video._vet import vet
from gmi_video._view import View
from gmi_video.catalog import Model
from gmi_video.errors import ConfigurationError, GmiVideoError, NotFound, PayloadInvalid
from gmi_video.inputs import examined, files_in
from gmi_video.ledger import Intent, State
from gmi_video.records import Snapshot, VideoRequest
from gmi_video.settings import Settings


class MoneyVerbs(View):
    """`submit`, and the ledger behind it."""

    async def submit(self, request: VideoRequest) -> Snapshot:
        """Asks for a video: the one call that costs money, sent once. The answer may already be final.

        Where the answer is lost, the request is looked for in the list (`Settings.on_uncertain`). Cancelling
        the caller stops nothing that was begun; observers are told of an id that nobody waited for.

        Files of this machine in the payload are uploaded once everything else is known to be right, each content
        once per session, and what is sent and remembered is the payload with their links.

        The payload is held against the model's schema first (`Settings.check`), by a copy at hand; a cold one is
        waited for at most a second, or with patience where a seed is to be drawn (`Settings.disambiguate`). What is
        doubtful is a `PayloadWarning`, and is sent.

        Raises:
            PayloadInvalid: the payload cannot be sent, or its model's schema refuses it; nothing was sent.
            TransferError: a file of the payload could not be uploaded, or changed meanwhile; nothing was submitted.
            Unreachable: the service was not reached; nothing was sent.
            ResponseError: a definite refusal (`Rejected`, `InsufficientCredit`, `RateLimited`, …); not charged.
            SubmissionUncertain: the answer was lost, and the list does not decide; never sent again on its own.
        """
        wanted = _checked(request)
        settings, core = self._settings, self._core
        seeded = settings.disambiguate == "seed" and wanted.payload.get("seed") is None
        wanted = await _looked_at(wanted)
        state = await core.open()
        model = None
        if seeded:
            model = await state.catalog.awaited(wanted.model, settings)
        elif settings.check != "off":
            model = await state.catalog.at_hand(wanted.model, settings)
        if model is not None and settings.check != "off":
            vet(model, wanted, settings.check)
        unique = _seeded(wanted, model, core.rng) if seeded and model else wanted
        linked = await _linked(unique, state.supply, settings)
        try:
            return await state.submissions.submit(
                linked, settings, self._store, fingerprint=unique is not wanted
            )
        except NotFound as error:
            raise state.catalog.explained(error, wanted.model) from None

    async def recover(self, intent: Intent) -> Snapshot:
        """Finishes what a killed process began: its request is found, or, if provably unsent, sent now.

        An intent that is under way in this session is waited for. Raises what `submit` raises
        (`SubmissionUncertain` where the list does not decide), and `ConfigurationError` for one that was refused.
        """
        state = await self._core.open()
        if intent.state is State.REJECTED:
            message = f"this submission to {intent.model} was refused, and not charged ({intent.evidence}): submit it anew"
            raise ConfigurationError(message)
        if intent.state is State.ACCEPTED and intent.request_id is not None:
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
        Raises `ConfigurationError` for both or neither, for a submission that is decided or still being looked
        for here, and where the id is another submission's or another model's; then nothing is changed.
        """
        if (request_id is None) is not absent:
            message = "resolve(intent, request_id=…) says which request it is, resolve(intent, absent=True) that none is"
            raise ConfigurationError(message)
        state = await self._core.open()
        if not intent.state.open or state.submissions.under_way(intent):
            why = (
                "is still being looked for here" if intent.state.open else f"is {intent.state.value} already"
            )
            message = f"this submission to {intent.model} {why}: there is nothing to decide"
            raise ConfigurationError(message)
        if request_id is None:
            evidence = "decided by the caller: absent"
            state.reconciler.memory.decided(intent)
            await self._store.put(evolve(intent, state=State.REJECTED, evidence=evidence, candidates=()))
            return None
        snapshot = await self._core.confirm(request_id, self._settings)
        if snapshot.model not in ("", intent.model):
            message = (
                f"request {request_id} is of model {snapshot.model}, the submission was to {intent.model}"
            )
            raise ConfigurationError(message)
        if not await state.reconciler.memory.claim(request_id, intent, self._store):
            message = f"request {request_id} belongs to another submission"
            raise ConfigurationError(message)
        state.reconciler.memory.decided(intent)
        accepted = evolve(intent, state=State.ACCEPTED, request_id=request_id, candidates=())
        await self._store.put(evolve(accepted, evidence="decided by the caller"))
        self._core.accepted(snapshot, intent)
        return snapshot

    def unfinished(self) -> tuple[str, ...]:
        """The ids submitted here whose end nobody received yet: what a SIGTERM handler should write down.

        The newest hundred thousand: a program that only submits, and never looks, hears of no end.
        """
        return self._core.submitted.ids


async def _looked_at(request: VideoRequest) -> VideoRequest:
    """The request with what is to be known of its files; itself where it has none.

    What cannot be sent is said before anybody waits: raises `PayloadInvalid`.
    """
    try:
        plain(request.payload, local=True)
        if next(files_in(request.payload), None) is None:
            return request
        return evolve(request, payload=await breakable(_examined, request.payload))
    except PayloadInvalid as error:
        error.key = request.key
        raise


def _examined(given_up: GivenUp, payload: Any) -> Any:
    return examined(payload, given_up)


async def _linked(request: VideoRequest, supply: Supply, settings: Settings) -> VideoRequest:
    """The request with links for its files; itself where it has none."""
    if next(files_in(request.payload), None) is None:
        return request
    try:
        return evolve(request, payload=await supply.linked(request.payload, settings))
    except GmiVideoError as error:
        error.key = request.key
        raise


def _seeded(request: VideoRequest, model: Model, rng: Random) -> VideoRequest:
    """The request with a seed of its own, or itself where its model has none."""
    payload = fingerprinted(request.payload, model, rng)
    return request if payload is None else evolve(request, payload=payload)


def _checked(request: object) -> VideoRequest:
    if not isinstance(request, VideoRequest):
        message = f"submit takes a VideoRequest(model, payload), not {type(request).__name__}"
        raise ConfigurationError(message)
    return request
