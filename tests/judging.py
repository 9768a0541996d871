"""Payloads, and the judge's findings in short."""

from gmi_video._ledger import judge
from gmi_video._likeness import shape
from gmi_video._matter import Finding, Matter

EAGLE = {"prompt": "eagle"}
RIVER = {"prompt": "river"}
SEEDED = {"prompt": "eagle", "seed": 7}
FAITHFUL = frozenset({shape(EAGLE)})


def found(matter: Matter) -> dict[str, str]:
    """The finding for each intent in short: what it is, or the outcome."""
    return {
        name: f"{finding.outcome} {finding.snapshot.request_id}" if finding.snapshot else finding.outcome
        for name, finding in judge(matter).items()
    }


def of(matter: Matter, name: str = "a") -> Finding:
    """The finding for one intent."""
    return judge(matter)[name]
