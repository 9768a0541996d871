"""Following requests for the session's own sake, where nobody else may be watching them."""

from collections.abc import Callable, Iterable
from functools import partial

from gmi_video._inbox import Inbox
from gmi_video._line import Line
from gmi_video._poller import Poller
from gmi_video.settings import Pace


def keep_looking(poller: Poller, pace: Pace, ids: Iterable[str]) -> Callable[[], None]:
    """Follows requests that nobody else may be following, for those who wait for one of them to move."""
    line = Line(Inbox(), pace)
    poller.join(line)
    for request_id in ids:
        poller.add(line, request_id, None)
    poller.added(line)
    return partial(poller.leave, line)
