"""What a session and a watch are doing at one moment: frozen values, cheap to take however many ids there are."""

from collections.abc import Mapping
from decimal import Decimal

from attrs import field, frozen

from gmi_video.records import Record


@frozen(kw_only=True)
class SessionStatistics(Record):
    """A session since it was opened: what all its watches follow, and what it costs the account.

    `statuses` counts followed ids by the service's word, `models` by model (of those seen so far). `looks`, `pages`
    and `bytes` are the poller's, `sweeps` the walks that the pages belong to. `throttled` counts 429, `queued` the
    calls that wait for their turn; `rate` is the limit of calls per second, where there is one, and `calls_per_second`
    what went out lately. `spent` are US dollars by the catalog's list prices, an estimate that leaves out failed
    requests and `unpriced` ones; both are kept when the session closes. `oldest` is
    how many seconds ago that id was seen (or came) which was not seen for the longest time, to a second; a page that
    was read for others and shows it unchanged does not count.
    """

    following: int = 0
    statuses: Mapping[str, int] = field(factory=dict)
    models: Mapping[str, int] = field(factory=dict)
    looks: int = 0
    pages: int = 0
    sweeps: int = 0
    bytes: int = 0
    throttled: int = 0
    queued: int = 0
    rate: float | None = None
    calls_per_second: float = 0.0
    oldest: float | None = None
    regressions: int = 0
    away: bool = False
    spent: Decimal = Decimal(0)
    unpriced: int = 0


@frozen(kw_only=True)
class WatchStatistics(Record):
    """A watch at one moment: ids still followed, ids that ended, ids with events that nobody took yet.

    `ends` counts those that ended by how: "succeeded", "failed", "cancelled", "gaveup". `statuses` counts those still
    followed by the state that was told last, where any was. Looks, pages and the rate belong to no watch alone, for
    one look serves all that follow an id: `session` has them.
    """

    following: int
    finished: int
    waiting: int
    ends: Mapping[str, int] = field(factory=dict)
    statuses: Mapping[str, int] = field(factory=dict)
    session: SessionStatistics = field(factory=SessionStatistics)
