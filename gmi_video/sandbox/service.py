"""GMI Cloud's queue as plain verbs: the catalog, the account and the requests, told the time. No network.

Every door (today the API key's; others speak other paths over the same queue) calls these verbs and only
dresses what they say.
"""

import math
from collections.abc import Mapping
from contextlib import suppress
from random import Random
from typing import cast
from urllib.parse import urlsplit

from attrs import define, evolve, field, frozen

from gmi_video.sandbox import answers, lives, outcomes, paging
from gmi_video.sandbox.account import Account
from gmi_video.sandbox.admission import admitted, offer_of
from gmi_video.sandbox.answers import Answer, RefusedError
from gmi_video.sandbox.behaviour import Behaviour
from gmi_video.sandbox.catalog import Offer, offers
from gmi_video.sandbox.clips import Clip, Kind, clip_of
from gmi_video.sandbox.faults import Postponed
from gmi_video.sandbox.later import Later
from gmi_video.sandbox.listing import HONEST, Listing
from gmi_video.sandbox.queue import Page, Queue, Request, sorted_keys
from gmi_video.sandbox.script import Reading
from gmi_video.sandbox.signing import Signer

_BUCKET = "gmi-video-assests-prod"
"""The real bucket's name, misspelling included."""
_REJECTED = "Generation rejected; please review the prompt and parameters then retry"
"""The one sentence in which most upstream refusals were seen."""


@frozen(kw_only=True)
class Charge:
    """One accepted submission, which the account pays for; `price` in micro-USD, `at` in Unix seconds.

    The price comes back where the request fails later; the row stays: it counts acceptances.
    """

    request_id: str
    model: str
    payload: Mapping[str, object] = field(repr=False, hash=False)
    at: float
    price: int


@frozen
class Artifact:
    """A file of a finished request: what it shows, and whether only a signed link leads to it."""

    clip: Clip
    sealed: bool
    ends_as: int
    """The status of a sealed file whose link is past its time."""


@frozen
class Accepted:
    """A submission that was taken in, and how it is to be answered."""

    request: Request
    behaviour: Behaviour
    answers_at: float


@define
class Service:
    """One account's GMI Cloud. Every verb raises `RefusedError` where the service says no."""

    reading: Reading
    rng: Random
    speed: float = 1.0
    media_url: str = ""
    charges: list[Charge] = field(init=False, factory=list)
    foreign: list[Charge] = field(init=False, factory=list)
    account: Account = field(init=False)
    queue: Queue = field(init=False)
    signer: Signer = field(init=False)
    _later: Later = field(init=False, factory=Later)
    _strangers: Random = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.account = Account(self.reading.script.balance)
        self.queue = Queue(self.rng, self._publish)
        self.signer = Signer(self.queue.org_id.encode())
        self._strangers = Random(self.queue.org_id)

    def models(self) -> list[str]:
        """Bare ids, nothing else."""
        return list(offers())

    def model(self, model: str) -> Mapping[str, object]:
        """All there is to say of a model."""
        return offer_of(model).detail

    def submit(self, now: float, model: str, payload: Mapping[str, object], call: Behaviour) -> Accepted:
        """Takes a submission in, or refuses it, in the order in which the service checks.

        Model known (404), payload against the schema (400), access (404 or 403), credit for the price
        (402), rate (429), the hand-over behind the queue (500 with a hidden failed record, 503). Under a
        fault that loses the submission on its way there are no checks, and the refusal carries the fault.
        """
        self.advance(now)
        offer = offer_of(model)
        behaviour = call.over(self.reading.model(model, offer.behaviour))
        self._plan_twins(now, model, payload, behaviour)
        fault = behaviour.fault
        if isinstance(fault, Postponed):
            self._later.add(now + fault.seconds, model, payload, evolve(behaviour, fault=None, foreign=None))
        if fault is not None and (isinstance(fault, Postponed) or not fault.accepts):
            raise RefusedError(evolve(Answer.html(502), fault=fault))
        request, price = self._take(now, offer, payload, behaviour)
        self.charges.append(_charge(request, price))
        wait = (request.behaviour.answers_after or 0.0) / self.speed
        waits = max(wait, request.life.ends_after if request.behaviour.sync else 0.0)
        return Accepted(request, request.behaviour, now + waits)

    def intrude(self, now: float, model: str, payload: Mapping[str, object], *, console: bool) -> Request:
        """A request that somebody else makes on this account; never charged to us."""
        self.advance(now)
        offer = offer_of(model)
        behaviour = evolve(self.reading.model(model, offer.behaviour), fault=None, foreign=None)
        if console:
            behaviour = evolve(behaviour, unknown_for=math.inf)
        request, price = self._take(now, offer, payload, behaviour)
        self.foreign.append(_charge(request, price))
        return request

    def advance(self, now: float) -> None:
        """Carries out what was due by `now`: postponed submissions and foreign ones; what is refused is lost."""
        while (due := self._later.next(now)) is not None:
            with suppress(RefusedError):
                request, price = self._take(due.at, offer_of(due.model), due.payload, due.behaviour)
                (self.foreign if due.foreign else self.charges).append(_charge(request, price))

    def close(self, now: float) -> None:
        """What was due by `now` still happens, and nothing after it."""
        self.advance(now)
        self._later.clear()

    def _plan_twins(
        self, now: float, model: str, payload: Mapping[str, object], behaviour: Behaviour
    ) -> None:
        foreign = behaviour.foreign
        if foreign is None or self._strangers.random() >= foreign.share:
            return
        theirs = evolve(behaviour, fault=None, foreign=None, answers_after=None)
        if foreign.console:
            theirs = evolve(theirs, unknown_for=math.inf)
        for after in foreign.after:
            self._later.add(now + after, model, payload, theirs, foreign=True)

    def _take(
        self, now: float, offer: Offer, payload: Mapping[str, object], behaviour: Behaviour
    ) -> tuple[Request, int]:
        price, behaviour = admitted(self.account, offer, behaviour, payload, now)
        life = lives.draw(behaviour, self.rng, self.speed)
        kept = cast("Mapping[str, object]", sorted_keys(payload))
        if behaviour.backend_error is not None:
            behaviour = evolve(behaviour, fails=behaviour.fails or _REJECTED)
            life = lives.stillborn(behaviour, life)
            self.queue.add(now=now, model=offer.model, payload=kept, life=life, behaviour=behaviour)
            raise RefusedError(answers.backend_error(behaviour.backend_error or 0))
        request = self.queue.add(now=now, model=offer.model, payload=kept, life=life, behaviour=behaviour)
        self.account.hold(price, now + life.ends_after if life.end == "failed" else None)
        return request, price

    def answer(self, accepted: Accepted, now: float) -> Answer:
        """The reply to an accepted submission: six fields, or the finished record of a synchronous model."""
        request = accepted.request
        if not accepted.behaviour.sync:
            return Answer.of(self.queue.accepted(request, now))
        if request.life.end == "failed" and request.outcome_shown(now):
            return answers.rejected_work(request.behaviour.fails or "", request.request_id)
        record = self.queue.record(request, now)
        return Answer.of({key: record[key] for key in sorted(record)})

    def look(self, now: float, request_id: str) -> Request:
        """The request, where this id is known."""
        self.advance(now)
        request = self.queue.find(request_id, now)
        if request is None:
            raise RefusedError(answers.unknown_request())
        return request

    def page(self, now: float, *, model: str, limit: int, offset: int, listing: Listing = HONEST) -> Page:
        """A page of the list, hidden failed records included."""
        self.advance(now)
        limit = min(limit, self.reading.script.longest_page)
        if listing is HONEST:
            return self.queue.page(now, model=model, limit=limit, offset=offset)
        return paging.turn(listing, self.queue.rows(now, model), now, limit=limit, offset=offset)

    def clip(self, request: Request, *, thumbnail: bool = False) -> Clip:
        """What the artifact of a request must look like; its thumbnail is an image of the same."""
        offer = offers()[request.model]
        clip = clip_of(self._kind(request), request.model, offer.filled(request.payload))
        return evolve(clip, kind="image", seconds=0.0) if thumbnail else clip

    def artifact(self, now: float, name: str) -> Artifact | None:
        """What lies behind a file name of the bucket, once its request has succeeded; None: no such object."""
        stem, _, extension = name.rpartition(".")
        thumbnail = stem.endswith("_thumbnail")
        request_id = stem.removesuffix("_thumbnail").rpartition("_")[2]
        request = self.queue.find(request_id, now)
        if request is None or request.life.end != "success" or not request.standing(now)[2]:
            return None
        behaviour = request.behaviour
        if now < request.created + request.life.ends_after + (behaviour.stored_after or 0.0) / self.speed:
            return None
        if self._name(request, thumbnail=thumbnail, kind=self._kind(request)) != f"{stem}.{extension}":
            return None
        clip = self.clip(request, thumbnail=thumbnail)
        return Artifact(clip, sealed=behaviour.link_lasts is not None, ends_as=behaviour.link_ends_as or 400)

    def folder(self, name: str = "generated") -> str:
        """The path under which this account's artifacts lie, shaped like the real bucket's."""
        owner = f"{self.queue.org_id}/{self.queue.user_id}"
        return f"/{_BUCKET}/user-assets/{owner}/gmi-videogen/{name}/"

    def _kind(self, request: Request) -> Kind:
        modality = str(offers()[request.model].detail["model_type"])
        return outcomes.kind_of(request.behaviour, modality)

    def _name(self, request: Request, *, thumbnail: bool, kind: Kind) -> str:
        stem = f"{request.model}_{request.request_id}"
        return f"{stem}_thumbnail.jpg" if thumbnail else f"{stem}.{outcomes.EXTENSIONS[kind]}"

    def _publish(self, request: Request, now: float) -> tuple[object, Mapping[str, object]]:
        match request.life.end:
            case "success":
                stem = f"{self.folder()}{request.model}_{request.request_id}"
                lasts = request.behaviour.link_lasts
                return outcomes.success(
                    request.behaviour,
                    self._kind(request),
                    lambda ending: self._link(stem + ending, now, lasts),
                ), {}
            case "failed":
                return outcomes.failure(request.behaviour)
            case _:
                return None, {}

    def _link(self, path: str, now: float, lasts: int | None) -> str:
        origin = self.reading.script.links or self.media_url
        if lasts is None:
            return origin + path
        return f"{origin}{path}?{self.signer.query('GET', urlsplit(origin).netloc, path, now, lasts)}"


def _charge(request: Request, price: int) -> Charge:
    return Charge(
        request_id=request.request_id,
        model=request.model,
        payload=request.payload,
        at=request.created,
        price=price,
    )
