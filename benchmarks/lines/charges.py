"""Line 11: extra charges and lost ids where replies are lost after the service accepted, ours and the peers'."""

from collections.abc import Iterator, Mapping
from typing import Any

from benchmarks.charges.dialects import DIALECTS
from benchmarks.charges.ours import measured
from benchmarks.charges.service import SHARES, WORDS
from benchmarks.charges.tally import Tally
from benchmarks.charges.theirs import driven
from benchmarks.figures import Effort, Figure, Line
from benchmarks.fresh import MeasurementFailed, fresh
from benchmarks.peers import Peer, PeerMissing, peer

_UNDECLARED = {"gmicloud": ("requests", "PyJWT", "pydantic", "tqdm")}
"""What a package imports and does not say that it needs."""
_CONTROL = 50
"""Submissions to a healthy service, before anything breaks: a peer that loses some of those is not driven right."""
_GAP = 5.0
"""Virtual seconds between two wishes of a caller of ours, where the port is closed for three of each ten."""

_OURS: Mapping[str, Mapping[str, Any]] = {
    **{WORDS[fault]: {"fault": fault} for fault in SHARES if fault != "refused"},
    WORDS["refused"]: {"fault": "refused", "gap": _GAP},
    f"{WORDS['dropped']}, every second wish equal to others": {"fault": "dropped", "same": True},
}
_MUTE = f"{WORDS['dropped']}, no payload echoed"


def _words(errors: Mapping[str, int], unsent: int) -> str:
    raised = [f"{count} × {name}" for name, count in sorted(errors.items())]
    return ", ".join([*raised, *([f"{unsent} wishes never charged"] if unsent else [])]) or "nothing raised"


def _ours(submits: int) -> Iterator[Figure]:
    unit = f"of {submits:,}"
    for what, arguments in {**_OURS, _MUTE: {"fault": "dropped", "echo": False}}.items():
        found = fresh(measured, submits=submits, **arguments)
        note = f"{found['charged']:,} charged; {_words(found['errors'], found['unsent'])}"
        for title, name in (
            ("extra charges", "extra"),
            ("ids lost", "lost"),
            ("ids of another wish", "wrong"),
        ):
            yield Figure(what=f"{title}, {what}", value=found[name], unit=unit, target=0, note=note)
        yield Figure(
            what=f"undecided, and said so, {what}",
            value=found["undecided"],
            unit=unit,
            target=None if what == _MUTE else 0,
        )


def _controlled(package: str, found: Peer) -> None:
    """Raises `MeasurementFailed` where a peer does not hear of every job even of a healthy service."""
    counted, errors = driven(package, found, None, _CONTROL)
    if counted != Tally(charged=_CONTROL, extra=0, lost=0):
        raise MeasurementFailed(f"it could not be driven: {counted}, {_words(errors, counted.unsent)}")


def _theirs(package: str, submits: int) -> Iterator[Figure]:
    unit = f"of {submits:,}"
    try:
        found = peer(package, *_UNDECLARED.get(package, ()))
        _controlled(package, found)
    except (PeerMissing, MeasurementFailed) as why:
        yield Figure(what="extra charges and ids lost", against=package, value=None, unit=unit, note=str(why))
        return
    for fault in SHARES:
        counted, errors = driven(package, found, fault, submits)
        note = f"{package} {found.version}: {_words(errors, counted.unsent)}"
        words = WORDS[fault]
        yield Figure(
            what=f"extra charges, {words}", against=package, value=counted.extra, unit=unit, note=note
        )
        yield Figure(what=f"ids lost, {words}", against=package, value=counted.lost, unit=unit)


def _measure(effort: Effort) -> Iterator[Figure]:
    ours, theirs = (300, 100) if effort == "quick" else (10_000, 2_000)
    yield from _ours(ours)
    for package in DIALECTS:
        yield from _theirs(package, theirs)


LINE = Line(
    number=11, name="charges", what="extra charges and lost ids where replies are lost", measure=_measure
)
