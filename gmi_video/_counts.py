"""What a session says of itself at one moment, read off what its parts count anyway."""

from gmi_video._governor import Governor
from gmi_video._lookout import Lookout
from gmi_video._schedule import Schedule
from gmi_video._spending import Spending
from gmi_video.statistics import SessionStatistics


def counts(
    schedule: Schedule, governor: Governor, lookout: Lookout, spending: Spending, now: float
) -> SessionStatistics:
    """The statistics of an open session at the loop's time `now`; cheap however many requests are followed."""
    return SessionStatistics(
        following=len(schedule),
        statuses={word: count for word, count in schedule.fleet.statuses.items() if count},
        models=schedule.fleet.models(),
        looks=lookout.looks,
        pages=lookout.pages,
        sweeps=schedule.fleet.sweeps,
        bytes=lookout.bytes,
        throttled=governor.throttled,
        queued=governor.waiting,
        rate=governor.rate.limit(now),
        calls_per_second=round(governor.rate.meter.value(now), 3),
        oldest=schedule.unseen(now),
        regressions=schedule.regressions,
        away=governor.away,
        spent=spending.spent,
        unpriced=spending.unpriced,
    )
