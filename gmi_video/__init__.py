"""An asyncio-native client for GMI Cloud's video generation queue.

It never pays twice, never loses a video that was paid for, and follows any number of requests for a few
calls per second. Names are loaded when they are first used, so importing the package costs next to nothing.
"""

TYPE_CHECKING = False  # checkers take the name for true; `typing` itself would be nine tenths of the import
if TYPE_CHECKING:
    from typing import Any

    from gmi_video import errors
    from gmi_video._stream import MediaStream
    from gmi_video._watch import Watch
    from gmi_video.catalog import Cost, Model, Parameter, PayloadWarning, Price, Problem
    from gmi_video.errors import GmiVideoError
    from gmi_video.estimate import Estimate
    from gmi_video.events import Cancelled, Event, Failed, GaveUp, Missed, Progressed, Stalled, Succeeded
    from gmi_video.inputs import Chunks, Inline, LocalFile, data_uri
    from gmi_video.ledger import Intent, MemoryStore, State, Store
    from gmi_video.login import Login, Profile
    from gmi_video.notices import Abandoned, Ended, Exchange, Notice, Submitted, Throttled, Uncertain
    from gmi_video.records import (
        Failure,
        Media,
        Outcome,
        Saved,
        Snapshot,
        Status,
        Video,
        VideoRequest,
    )
    from gmi_video.session import Session
    from gmi_video.settings import Limits, Pace, Patience, Resubmit, Settings
    from gmi_video.statistics import SessionStatistics, WatchStatistics
    from gmi_video.transfer import Transfer

_HOMES = {
    "_stream": ("MediaStream",),
    "_watch": ("Watch",),
    "catalog": ("Cost", "Model", "Parameter", "PayloadWarning", "Price", "Problem"),
    "errors": ("GmiVideoError",),
    "estimate": ("Estimate",),
    "events": ("Cancelled", "Event", "Failed", "GaveUp", "Missed", "Progressed", "Stalled", "Succeeded"),
    "inputs": ("Chunks", "Inline", "LocalFile", "data_uri"),
    "ledger": ("Intent", "MemoryStore", "State", "Store"),
    "login": ("Login", "Profile"),
    "notices": ("Abandoned", "Ended", "Exchange", "Notice", "Submitted", "Throttled", "Uncertain"),
    "records": ("Failure", "Media", "Outcome", "Saved", "Snapshot", "Status", "Video", "VideoRequest"),
    "session": ("Session",),
    "settings": ("Limits", "Pace", "Patience", "Resubmit", "Settings"),
    "statistics": ("SessionStatistics", "WatchStatistics"),
    "transfer": ("Transfer",),
}
_ROOMS = {name: room for room, names in _HOMES.items() for name in names}

__version__ = "0.1.0"

__all__ = [
    "Abandoned",
    "Cancelled",
    "Chunks",
    "Cost",
    "Ended",
    "Estimate",
    "Event",
    "Exchange",
    "Failed",
    "Failure",
    "GaveUp",
    "GmiVideoError",
    "Inline",
    "Intent",
    "Limits",
    "LocalFile",
    "Login",
    "Media",
    "MediaStream",
    "MemoryStore",
    "Missed",
    "Model",
    "Notice",
    "Outcome",
    "Pace",
    "Parameter",
    "Patience",
    "PayloadWarning",
    "Price",
    "Problem",
    "Profile",
    "Progressed",
    "Resubmit",
    "Saved",
    "Session",
    "SessionStatistics",
    "Settings",
    "Snapshot",
    "Stalled",
    "State",
    "Status",
    "Store",
    "Submitted",
    "Succeeded",
    "Throttled",
    "Transfer",
    "Uncertain",
    "Video",
    "VideoRequest",
    "Watch",
    "WatchStatistics",
    "data_uri",
    "errors",
]


def __getattr__(name: str) -> "Any":
    from importlib import import_module  # noqa: PLC0415  # as above

    if name == "errors":
        return import_module("gmi_video.errors")
    if name in _ROOMS:
        return getattr(import_module(f"gmi_video.{_ROOMS[name]}"), name)
    message = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(message)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
