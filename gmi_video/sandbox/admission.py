"""Whether a submission is let in: the service's checks in its order, before and behind the queue."""

from collections.abc import Mapping

from gmi_video.sandbox import answers, schema
from gmi_video.sandbox.account import Account
from gmi_video.sandbox.answers import Answer, RefusedError
from gmi_video.sandbox.behaviour import Behaviour
from gmi_video.sandbox.catalog import Offer, offers
from gmi_video.sandbox.clips import seconds_of

_RPM_FAILURE = "Video generation failed: rate limit exceeded(RPM)"
_NO_TEXT = "content must include at least one text item"


def offer_of(model: str) -> Offer:
    """The model of this very id; raises `RefusedError` where there is none."""
    offer = offers().get(model)
    if offer is None:
        raise RefusedError(answers.unknown_model(model))
    return offer


def admitted(
    account: Account, offer: Offer, behaviour: Behaviour, payload: Mapping[str, object], now: float
) -> tuple[int, Behaviour]:
    """The price of a submission, and how it will behave; raises `RefusedError` at the first check that says no.

    Payload against the schema (400), access (404 or 403), credit for the price (402), rate (429); what the
    model behind the queue has against a payload is told by the behaviour.
    """
    found = schema.problems(offer, payload)
    if found:
        raise RefusedError(answers.invalid_parameters(found))
    if behaviour.not_entitled is not None:
        raise RefusedError(answers.not_entitled(behaviour.not_entitled, offer.model))
    price = _price(offer, payload)
    if not account.affords(price, now):
        raise RefusedError(answers.insufficient_credit())
    behaviour = _upstream(offer, _rated(account, offer.model, behaviour, now), payload)
    if behaviour.answer is not None:
        raise RefusedError(behaviour.answer)
    return price, behaviour


def _price(offer: Offer, payload: Mapping[str, object]) -> int:
    filled = offer.filled(payload)
    rate = offer.price
    if offer.nature.rate_of:
        told = filled.get(offer.nature.rate_of)
        if told not in offer.nature.rates:
            raise RefusedError(Answer.refusal(400, "price not found"))
        rate = offer.nature.rates[str(told)]
    return round(rate * seconds_of(filled)) if offer.unit == "second" else rate


def _rated(account: Account, model: str, behaviour: Behaviour, now: float) -> Behaviour:
    if behaviour.rpm is None:
        return behaviour
    interval = behaviour.rpm_seconds or 60.0
    wait = account.wait_for(model, behaviour.rpm, interval, now)
    if not wait:
        return behaviour
    if behaviour.rpm_as == "failure":
        return Behaviour(fails=_RPM_FAILURE, seconds=1.0).over(behaviour)
    header = bool(behaviour.retry_after_header)
    raise RefusedError(answers.rate_limited(model, behaviour.rpm, interval, wait, header=header))


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
