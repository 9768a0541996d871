"""A local GMI Cloud: the request queue over real HTTP, with playable artifacts and scripted faults.

`Sandbox` is the server, `Script` and `Behaviour` say how it departs from a healthy service, `Faults` which
calls meet a fault of the transport (the faults themselves are in `gmi_video.sandbox.faults`), `Listing` what
is odd about the list; `Charge` and `SeenCall` are what it remembers for the asserts of a test. Names load on
first use, so importing this room costs nothing.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gmi_video.sandbox.behaviour import Behaviour, Foreign, Spread
    from gmi_video.sandbox.calls import SeenCall
    from gmi_video.sandbox.chances import Faults
    from gmi_video.sandbox.listing import Listing
    from gmi_video.sandbox.script import Script
    from gmi_video.sandbox.server import Sandbox
    from gmi_video.sandbox.service import Charge
    from gmi_video.sandbox.serving import Serving

__all__ = [
    "Behaviour",
    "Charge",
    "Faults",
    "Foreign",
    "Listing",
    "Sandbox",
    "Script",
    "SeenCall",
    "Serving",
    "Spread",
]

_ROOMS = {
    "Behaviour": "behaviour",
    "Charge": "service",
    "Faults": "chances",
    "Foreign": "behaviour",
    "Listing": "listing",
    "Sandbox": "server",
    "Script": "script",
    "Serving": "serving",
    "SeenCall": "calls",
    "Spread": "behaviour",
}


def __getattr__(name: str) -> object:
    if name not in _ROOMS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415  # the point of a lazy room

    value: object = getattr(import_module(f"{__name__}.{_ROOMS[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
