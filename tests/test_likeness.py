"""Payloads that are one and the same, and payloads that nobody else sends."""

import hashlib
from random import Random
from typing import Any

import pytest

from gmi_video import Model, Parameter
from gmi_video._likeness import ROOM, canonical, contains, digest, fingerprinted, loosely, shape


def test_equal_payloads_have_one_spelling() -> None:
    """Order and spaces do not count, other letters than ours do."""
    assert canonical({"b": 1, "a": "Ü"}) == '{"a":"Ü","b":1}'.encode()
    assert digest({"b": 1, "a": "Ü"}) == hashlib.sha256('{"a":"Ü","b":1}'.encode()).hexdigest()
    assert digest({"a": 1}) != digest({"a": "1"})


def test_half_a_surrogate_pair_has_a_digest() -> None:
    """What cannot be sent can still be told from other things."""
    assert canonical({"a": "\ud800"}) == b'{"a":"?"}'


@pytest.mark.parametrize(
    ("value", "straight"),
    [
        (5, "5"),
        (5.0, "5"),
        ("5", "5"),
        (0.1 + 0.2, "0.3"),
        (2**63 - 1, "9223372036854775807"),
        (True, "true"),
        (" a ", "a"),
        (None, None),
        ([1, {"x": None, "y": 2.0}], ["1", {"y": "2"}]),
        ((1,), ["1"]),
    ],
)
def test_values_are_straightened_as_the_service_does(value: Any, straight: Any) -> None:
    """Numbers may come back as text and text as numbers; large ones keep every digit."""
    assert loosely(value) == straight


def test_an_echo_may_have_more_but_not_less() -> None:
    """What the service added is ignored, what is missing is not."""
    assert contains({"a": "1", "b": 2}, {"a": 1, "c": None})
    assert not contains({"b": 2}, {"a": 1})


def test_a_shape_is_the_names_in_a_payload() -> None:
    """Text and image calls of one model are told apart by it."""
    assert shape({"prompt": 1, "image": 2}) == {"image", "prompt"}


def model(**seed: Any) -> Model:
    return Model(id="m", parameters=(Parameter(name="seed", type=seed.pop("type", "integer"), **seed),))


@pytest.mark.parametrize(
    ("seed", "low", "high"),
    [
        ({}, 0, 2_147_483_647),
        ({"minimum": -1, "maximum": 2**32}, 0, 2**32),
        ({"minimum": 10, "maximum": 10 + ROOM}, 10, 10 + ROOM),
        ({"type": "number", "maximum": 2_147_483_647.0}, 0, 2_147_483_647),
    ],
)
def test_a_fingerprint_is_a_seed_within_the_schemas_range(seed: dict[str, Any], low: int, high: int) -> None:
    """Never below 0, where -1 means any, and never outside: such a request is accepted and fails."""
    rng = Random(1)
    seeds = [(fingerprinted({"prompt": "p"}, model(**seed), rng) or {})["seed"] for _ in range(200)]

    assert low <= min(seeds) <= max(seeds) <= high
    assert len(set(seeds)) == 200
    assert max(seeds) - min(seeds) > 0.9 * (high - low)


@pytest.mark.parametrize(
    "seed", [{"type": "string"}, {"minimum": 1, "maximum": 10}, {"minimum": 5, "maximum": 1}]
)
def test_a_seed_that_is_no_number_or_has_no_room_is_no_fingerprint(seed: dict[str, Any]) -> None:
    """Ten seeds would make equal payloads of every tenth pair."""
    assert fingerprinted({"prompt": "p"}, model(**seed), Random(1)) is None


def test_a_model_without_a_seed_has_no_fingerprint() -> None:
    """Other keys might be refused."""
    assert fingerprinted({"prompt": "p"}, Model(id="m"), Random(1)) is None
