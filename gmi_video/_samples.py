"""Sorting records by the payload that they echo."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from attrs import field, frozen

from gmi_video._likeness import contains, digest, loosely
from gmi_video.ledger import Intent
from gmi_video.records import Snapshot


@frozen(kw_only=True)
class Sorted:
    """Records by the digest of the payload that they are; `contested` could be several payloads, and stand
    under each of them with the digests of all; `strays` are nobody's.
    """  # noqa: D205  # one thought

    exact: defaultdict[str, list[Snapshot]] = field(factory=lambda: defaultdict(list), repr=False)
    contested: defaultdict[str, list[tuple[Snapshot, frozenset[str]]]] = field(
        factory=lambda: defaultdict(list), repr=False
    )
    strays: list[Snapshot] = field(factory=list, repr=False)


def sort_by_payload(intents: Sequence[Intent], records: Iterable[Snapshot]) -> Sorted:
    """Exactly equal comes first: a record that is one payload is not taken for another that it also contains.

    What is left belongs to the one payload that it contains; every echo contains an empty one, which proves
    nothing. An echo nested too deeply to be read is a stray.
    """
    samples = {intent.digest: intent.payload for intent in intents}
    by_prompt: dict[str, list[str]] = defaultdict(list)
    for name, payload in samples.items():
        if any(value is not None for value in payload.values()):
            by_prompt[_prompt(payload)].append(name)
    found = Sorted()
    for record in records:
        echo = record.payload or {}
        try:
            owners = _owners(echo, samples, by_prompt)
        except RecursionError:
            owners = frozenset()
        for name in owners:
            if len(owners) == 1:
                found.exact[name].append(record)
            else:
                found.contested[name].append((record, owners))
        if not owners:
            found.strays.append(record)
    return found


def _prompt(payload: Mapping[str, Any]) -> str:
    """What a payload is looked up by: most have one prompt, and it is different in each."""
    return str(loosely(payload.get("prompt")))


def _owners(
    echo: Mapping[str, Any],
    samples: Mapping[str, Mapping[str, Any]],
    by_prompt: Mapping[str, Sequence[str]],
) -> frozenset[str]:
    exact = digest(echo)
    if exact in samples:
        return frozenset({exact})
    near = {*by_prompt.get(_prompt(echo), ()), *by_prompt.get(str(None), ())}
    return frozenset(name for name in near if contains(echo, samples[name]))
