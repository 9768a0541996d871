"""GMI Cloud's queue as plain verbs: the catalog, the account and the requests, told the time. No network.

Every door (today the API key's; others speak other paths over the same queue) calls these verbs and only
dresses what they say.
"""

from collections.abc import Mapping
from random import Random
from typing import cast

from attrs import define, evolve, field, frozen

from gmi_video.sandbox import answers, lives, outcomes, schema
from gmi_video.sandbox.account import Account
from gmi_video.sandbox.answers import Answer, RefusedError
from gmi_video.sandbox.behaviour import Behaviour
from gmi_video.sandbox.catalog import Offer, offers
from gmi_video.sandbox.clips import Clip, Kind, clip_of, seconds_of
from gmi_video.sandbox.queue import Page, Queue, Request, sorted_keys
from gmi_video.sandbox.script import Reading

_BUCKET = "gmi-video-assests-prod"
"""The real bucket's name, misspelling included."""
_RPM_FAILURE = "Video generation failed: rate limit exceeded(RPM)"
_REJECTED = "Generation rejected; please review the prompt and parameters then retry"
"""The one sentence in which most upstream refusals were seen."""
_NO_TEXT = "content must include at least one text item"


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
    account: Account = field(init=False)
    queue: Queue = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.account = Account(self.reading.script.balance)
        self.queue = Queue(self.rng, self._publish)

    def models(self) -> list[str]:
        """Bare ids, nothing else."""
        return list(offers())

    def model(self, model: str) -> Mapping[str, object]:
        """All there is to say of a model."""
        return self._offer(model).detail

    def submit(self, now: float, model: str, payload: Mapping[str, object], call: Behaviour) -> Accepted:
        """Takes a submission in, or refuses it, in the order in which the service checks.

        Model known (404), payload against the schema (400), access (404 or 403), credit for the price
        (402), rate (429), the hand-over behind the queue (500 with a hidden failed record, 503).
        """
        offer = self._offer(model)
        behaviour = call.over(self.reading.model(model, offer.behaviour))
        price = self._admit(offer, behaviour, payload, now)
        behaviour = _upstream(offer, self._rated(model, behaviour, now), payload)
        if behaviour.answer is not None:
            raise RefusedError(behaviour.answer)
        life = lives.draw(behaviour, self.rng, self.speed)
        kept = cast("Mapping[str, object]", sorted_keys(payload))
        if behaviour.backend_error is not None:
            behaviour = evolve(behaviour, fails=behaviour.fails or _REJECTED)
            life = lives.stillborn(behaviour, self.speed)
            self.queue.add(now=now, model=model, payload=kept, life=life, behaviour=behaviour)
            raise RefusedError(answers.backend_error(behaviour.backend_error or 0))
        request = self.queue.add(now=now, model=model, payload=kept, life=life, behaviour=behaviour)
        self.account.hold(price, now + life.ends_after if life.end == "failed" else None)
        self.charges.append(
            Charge(request_id=request.request_id, model=model, payload=kept, at=now, price=price)
        )
        wait = (behaviour.answers_after or 0.0) / self.speed
        return Accepted(request, behaviour, now + max(wait, life.ends_after if behaviour.sync else 0.0))

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
        request = self.queue.find(request_id, now)
        if request is None:
            raise RefusedError(answers.unknown_request())
        return request

    def page(self, now: float, *, model: str, limit: int, offset: int) -> Page:
        """A page of the list, hidden failed records included."""
        return self.queue.page(
            now, model=model, limit=min(limit, self.reading.script.longest_page), offset=offset
        )

    def clip(self, request: Request, *, thumbnail: bool = False) -> Clip:
        """What the artifact of a request must look like; its thumbnail is an image of the same."""
        offer = offers()[request.model]
        clip = clip_of(self._kind(request), request.model, offer.filled(request.payload))
        return evolve(clip, kind="image", seconds=0.0) if thumbnail else clip

    def artifact(self, now: float, name: str) -> Clip | None:
        """The clip behind a file name of the bucket, once its request has succeeded; None: no such object."""
        stem, _, extension = name.rpartition(".")
        thumbnail = stem.endswith("_thumbnail")
        request_id = stem.removesuffix("_thumbnail").rpartition("_")[2]
        request = self.queue.find(request_id, now)
        if request is None or request.life.end != "success" or not request.standing(now)[2]:
            return None
        if self._name(request, thumbnail=thumbnail, kind=self._kind(request)) != f"{stem}.{extension}":
            return None
        return self.clip(request, thumbnail=thumbnail)

    def folder(self) -> str:
        """The path under which this account's artifacts lie, shaped like the real bucket's."""
        owner = f"{self.queue.org_id}/{self.queue.user_id}"
        return f"/{_BUCKET}/user-assets/{owner}/gmi-videogen/generated/"

    def _offer(self, model: str) -> Offer:
        offer = offers().get(model)
        if offer is None:
            raise RefusedError(answers.unknown_model(model))
        return offer

    def _admit(self, offer: Offer, behaviour: Behaviour, payload: Mapping[str, object], now: float) -> int:
        found = schema.problems(offer, payload)
        if found:
            raise RefusedError(answers.invalid_parameters(found))
        if behaviour.not_entitled is not None:
            raise RefusedError(answers.not_entitled(behaviour.not_entitled, offer.model))
        price = self._price(offer, payload)
        if not self.account.affords(price, now):
            raise RefusedError(answers.insufficient_credit())
        return price

    def _price(self, offer: Offer, payload: Mapping[str, object]) -> int:
        filled = offer.filled(payload)
        rate = offer.price
        if offer.nature.rate_of:
            told = filled.get(offer.nature.rate_of)
            if told not in offer.nature.rates:
                raise RefusedError(Answer.refusal(400, "price not found"))
            rate = offer.nature.rates[str(told)]
        return round(rate * seconds_of(filled)) if offer.unit == "second" else rate

    def _rated(self, model: str, behaviour: Behaviour, now: float) -> Behaviour:
        if behaviour.rpm is None:
            return behaviour
        interval = behaviour.rpm_seconds or 60.0
        wait = self.account.wait_for(model, behaviour.rpm, interval, now)
        if not wait:
            return behaviour
        if behaviour.rpm_as == "failure":
            return Behaviour(fails=_RPM_FAILURE, seconds=1.0).over(behaviour)
        header = bool(behaviour.retry_after_header)
        raise RefusedError(answers.rate_limited(model, behaviour.rpm, interval, wait, header=header))

    def _kind(self, request: Request) -> Kind:
        modality = str(offers()[request.model].detail["model_type"])
        return outcomes.kind_of(request.behaviour, modality)

    def _name(self, request: Request, *, thumbnail: bool, kind: Kind) -> str:
        stem = f"{request.model}_{request.request_id}"
        return f"{stem}_thumbnail.jpg" if thumbnail else f"{stem}.{outcomes.EXTENSIONS[kind]}"

    def _publish(self, request: Request) -> tuple[object, Mapping[str, object]]:
        match request.life.end:
            case "success":
                origin = self.reading.script.links or self.media_url
                base = f"{origin}{self.folder()}{request.model}_{request.request_id}"
                return outcomes.success(request.behaviour, self._kind(request), base), {}
            case "failed":
                return outcomes.failure(request.behaviour)
            case _:
                return None, {}


def _upstream(offer: Offer, behaviour: Behaviour, payload: Mapping[str, object]) -> Behaviour:
    """What the model behind the queue has against a payload that the queue let through."""
    nature = offer.nature
    if any(isinstance(payload.get(name), list) for name in nature.plain_links):
        return Behaviour(backend_error=403, fails="first_frame must be a string").over(behaviour)
    if nature.needs_text and not payload.get("prompt"):
        return Behaviour(fails=_NO_TEXT, seconds=1.0).over(behaviour)
    seed = payload.get("seed")
    if (
        nature.seed_range
        and isinstance(seed, int)
        and not nature.seed_range[0] <= seed <= nature.seed_range[1]
    ):
        low, high = nature.seed_range
        text = f"seed must be in [{low},{high}] (code: InvalidParameter)"
        return Behaviour(fails=text, seconds=1.0).over(behaviour)
    return behaviour
