"""Whom the service charged for what, against what the client was told."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from attrs import frozen


@frozen(kw_only=True)
class Tally:
    """One run. `extra`: jobs beyond those that were wished for; `lost`: charged jobs whose id nobody was given.

    `undecided`: lost ones that the client says it may have been charged for, with the evidence; `wrong`: ids given
    to the caller of another wish; `unsent`: wishes for which nothing was charged, so that they cost nothing.
    """

    charged: int
    extra: int
    lost: int
    undecided: int = 0
    wrong: int = 0
    unsent: int = 0


def tally(
    wishes: Iterable[int], jobs: Mapping[int, Sequence[str]], told: Mapping[str, int], undecided: int = 0
) -> Tally:
    """Counts a run: `wishes` by their numbers, the service's `jobs` of each, and the ids that clients were `told`.

    Equal wishes have one number, and their jobs are as good as each other.
    """
    wished = Counter(wishes)
    owners = {name: number for number, names in jobs.items() for name in names}
    return Tally(
        charged=len(owners),
        extra=sum(max(0, len(names) - wished[number]) for number, names in jobs.items()),
        lost=len(owners.keys() - told.keys()) - undecided,
        undecided=undecided,
        wrong=sum(owners.get(name) != number for name, number in told.items()),
        unsent=sum(max(0, count - len(jobs.get(number, ()))) for number, count in wished.items()),
    )
