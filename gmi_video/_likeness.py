"""Whether two payloads are one and the same, as the service may have straightened one of them; and payloads that
nobody else sends.
"""  # noqa: D205  # one thought

import hashlib
import json
from collections.abc import Mapping
from random import Random
from typing import Any

from gmi_video.catalog import Model

Shape = frozenset[str]
"""The names in a payload: what is echoed differs between text and image calls of one model."""

SEEDS = (0, 2_147_483_647)
"""The range of a seed where the schema names none: what wan, pixverse and others document."""
ROOM = 2**20
"""Seeds that a range must have: in a smaller one, two random seeds are too often the same."""


def canonical(payload: Mapping[str, Any]) -> bytes:
    """One spelling for equal payloads: sorted keys, no spaces. The service sorts the keys of its echo too."""
    return json.dumps(payload, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode(
        "utf-8", "replace"
    )


def digest(payload: Mapping[str, Any]) -> str:
    """SHA-256 of the canonical payload, in hex."""
    return hashlib.sha256(canonical(payload)).hexdigest()


def fingerprinted(payload: Mapping[str, Any], model: Model, rng: Random) -> dict[str, Any] | None:
    """The payload with a random seed of its own, inside the schema's range; None where the model has no seed.

    Leaving the seed out means a random one, so the request stays the same, and becomes unique. A seed outside
    the range is accepted by the service and fails a second later.
    """
    seed = model.parameter("seed")
    if seed is None or seed.type not in {"integer", "int", "number", "numeric"}:
        return None
    low = SEEDS[0] if seed.minimum is None else max(int(seed.minimum), SEEDS[0])
    high = SEEDS[1] if seed.maximum is None else int(seed.maximum)
    return {**payload, "seed": rng.randint(low, high)} if high - low >= ROOM else None


def shape(payload: Mapping[str, Any]) -> Shape:
    """The names of a payload."""
    return frozenset(payload)


def loosely(value: Any) -> Any:
    """A value as the service may have straightened it: 5, 5.0 and "5" are one, nulls are dropped."""
    if isinstance(value, Mapping):
        return {name: loosely(item) for name, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [loosely(item) for item in value]
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else f"{value:.12g}"
    if isinstance(value, int):
        return str(value)
    return value.strip() if isinstance(value, str) else value


def contains(echo: Mapping[str, Any], sent: Mapping[str, Any]) -> bool:
    """Whether an echo has all that was sent, loosely equal; what the service added is ignored."""
    return all(
        value is None or (name in echo and loosely(echo[name]) == loosely(value))
        for name, value in sent.items()
    )
