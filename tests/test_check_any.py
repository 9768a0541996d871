"""The check and the sandbox agree on any payload, and no schema makes it stumble."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from models import model
from searching import search

from gmi_video._schema import model_of
from gmi_video.catalog import Model
from gmi_video.sandbox import schema
from gmi_video.sandbox.catalog import Offer, offers

LINK = "https://example.com/a.jpg"

ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**40), 2**40),
    st.integers(-3, 20),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([0.5, 5.0, 5.5, "5", "5s", "on", "yes", "1080p", "1080P", "16:9", "", LINK, "x" * 3000]),
    st.lists(st.sampled_from([LINK, 1]), max_size=3),
    st.dictionaries(st.sampled_from("ab"), st.integers(), max_size=1),
)


def values(parameter: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    """Values that the schema of a parameter allows, or nearly so."""
    low, high = parameter["min_value"], parameter["max_value"]
    match parameter["type"]:
        case _ if parameter["options"]:
            return st.sampled_from(parameter["options"])
        case "integer":
            return st.integers(low if low is not None else -10, high if high is not None else 2**33)
        case "float":
            return st.floats(low if low is not None else 0, high if high is not None else 50)
        case "boolean":
            return st.booleans()
        case "array":
            return st.lists(st.just(LINK), max_size=12)
        case _:
            return st.sampled_from([LINK, "a river", "x" * 2600])


@st.composite
def submissions(draw: st.DrawFn) -> tuple[Offer, dict[str, Any]]:
    """A model of the sandbox and a payload: right, broken in places, incomplete, with names of other families."""
    offer = offers()[draw(st.sampled_from(sorted(offers())))]
    payload: dict[str, Any] = {}
    broken = draw(st.sampled_from([0, 0, 1, 3]))
    for parameter in offer.detail["parameters"]:  # type: ignore[attr-defined]  # JSON, as the sandbox sends it
        dice = draw(st.integers(0, 9))
        if dice < broken:
            payload[parameter["name"]] = draw(ANYTHING)
        elif parameter["required"] or dice < 6:
            payload[parameter["name"]] = draw(values(parameter))
    if draw(st.booleans()):
        payload |= draw(st.dictionaries(st.sampled_from(["image", "ratio", "seconds"]), ANYTHING, max_size=2))
    names = draw(st.permutations(list(payload)))
    return offer, {name: payload[name] for name in names}


def refused_by_the_sandbox(offer: Offer, payload: Mapping[str, Any]) -> set[str]:
    """The parameters for which the sandbox refuses a payload: by its schema, or behind its queue as 500."""
    listed = {name for name in offer.nature.plain_links if isinstance(payload.get(name), list)}
    return {name for name, _ in schema.problems(offer, payload)} | listed


SANDBOX: dict[str, Model] = {name: model_of(offer.detail) for name, offer in offers().items()}


def agree(offer: Offer, payload: dict[str, Any]) -> None:
    """What is certain here is refused there, at the very same parameters, and the other way round."""
    certain = {problem.parameter for problem in SANDBOX[offer.model].check(payload) if problem.certain}

    assert certain == refused_by_the_sandbox(offer, payload)


@given(submissions())
@settings(max_examples=300)
def test_what_is_certain_is_what_the_sandbox_refuses(submission: tuple[Offer, dict[str, Any]]) -> None:
    """`check` and the sandbox's own checker agree on every payload, valid and broken."""
    agree(*submission)


@pytest.mark.soak
@given(submissions())
@settings(max_examples=50_000)
def test_what_is_certain_is_what_the_sandbox_refuses_at_length(
    submission: tuple[Offer, dict[str, Any]],
) -> None:
    """`check` and the sandbox's own checker agree on every one of 50,000 payloads."""
    agree(*submission)


PARAMETERS = st.fixed_dictionaries(
    {"name": st.sampled_from(["a", "prompt", "seed", "first_frame", "duration"])},
    optional={
        "type": st.sampled_from(["string", "integer", "float", "boolean", "array", "image", "object", "?"]),
        "options": st.none() | st.lists(ANYTHING, max_size=3),
        "min_value": ANYTHING,
        "max_value": ANYTHING,
        "default_value": ANYTHING,
        "required": ANYTHING,
        "description": st.text(max_size=30) | ANYTHING,
    },
)


@given(
    st.sampled_from(["seedance-2-0-260128", "wan2.7-t2v", "MiniMax-H3", "other"]),
    st.lists(PARAMETERS, max_size=4),
    st.dictionaries(
        st.sampled_from(["a", "prompt", "seed", "first_frame", "duration", "x"]), ANYTHING, max_size=5
    ),
)
@search(150, of=500)
def test_no_schema_and_no_payload_make_it_stumble(
    model_id: str, parameters: list[dict[str, Any]], payload: dict[str, Any]
) -> None:
    """Whatever the catalog says and whatever is asked, the answer is a tuple of sentences."""
    found = model(*parameters, model_id=model_id).check(payload)

    assert all(problem.sentence and problem.parameter for problem in found)
