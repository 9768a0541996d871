"""What only the sandbox knows of a model: how long it takes, in which shapes it answers, what it hides."""

from collections.abc import Mapping
from types import MappingProxyType

from attrs import field, frozen

from gmi_video.sandbox.behaviour import Behaviour

_VEO = Behaviour(median=75, outcome="video_url", thumbnail="image")
_KLING = Behaviour(median=240, sigma=0.15, outcome="video_url", thumbnail="image")
_WAN = Behaviour(median=110, outcome="video_url", thumbnail="image")
_SEEDANCE = Behaviour(outcome="video_url", thumbnail="image", failure="outcome.error.object")
_MEDIA_URLS = Behaviour(median=95, outcome="media_urls", thumbnail="image")


_PLAIN = Behaviour(outcome="video_url", thumbnail="image")


@frozen(kw_only=True)
class Nature:
    """The lowest layer of a model's behaviour, and the refusals that come from behind the queue.

    `rates` are micro-USD by the value of the parameter named first in `rate_of`; a value without a rate is
    refused when the request is created. `checked_upstream` names parameters the queue lets through; a
    `seed_range` breached there fails about a second after acceptance, as seen on wan. `needs_text`: an empty
    prompt is accepted and fails. `plain_links`: an array there is 500 "Backend error (403)", as on seedance.
    """

    behaviour: Behaviour = _PLAIN
    rate_of: str = ""
    rates: Mapping[str, int] = field(factory=dict)
    checked_upstream: frozenset[str] = frozenset()
    seed_range: tuple[int, int] | None = None
    needs_text: bool = False
    plain_links: tuple[str, ...] = ()


_WAN_2 = Nature(behaviour=_WAN, checked_upstream=frozenset({"seed"}), seed_range=(0, 2147483647))
_FRAMES = ("first_frame", "last_frame")


def _seedance(median: float, rate_of: str = "", rates: Mapping[str, int] | None = None) -> Nature:
    return Nature(
        behaviour=Behaviour(median=median).over(_SEEDANCE),
        rate_of=rate_of,
        rates=rates or {},
        checked_upstream=frozenset(_FRAMES),
        needs_text=True,
        plain_links=_FRAMES,
    )


NATURES: Mapping[str, Nature] = MappingProxyType(
    {
        "Veo3": Nature(behaviour=Behaviour(steps=("dispatched", "processing"), thumbnail="video").over(_VEO)),
        "Veo3-Fast": Nature(
            behaviour=Behaviour(median=45, steps=("dispatched", "processing"), thumbnail="video").over(_VEO)
        ),
        "veo-3.1-generate-preview": Nature(behaviour=_VEO),
        "veo-3.1-fast-generate-001": Nature(behaviour=Behaviour(median=45).over(_VEO)),
        "sora-2-pro": Nature(behaviour=Behaviour(median=180).over(_VEO)),
        "Luma-Ray2": Nature(behaviour=Behaviour(median=60).over(_VEO)),
        "Minimax-Hailuo-2.3": Nature(behaviour=Behaviour(median=120).over(_VEO)),
        "Kling-Image2Video-V2.1-Master": Nature(behaviour=_KLING),
        "Kling-Text2Video-V2.1-Master": Nature(behaviour=_KLING),
        "kling-v2-6": Nature(behaviour=Behaviour(median=150).over(_KLING)),
        "kling-v3-text-to-video": Nature(
            behaviour=Behaviour(median=170).over(_MEDIA_URLS),
            rate_of="sound",
            rates={"off": 168000, "on": 252000},
        ),
        "kling-v3-image-to-video": Nature(
            behaviour=Behaviour(median=170).over(_MEDIA_URLS),
            rate_of="sound",
            rates={"off": 168000, "on": 252000},
        ),
        "Wan-AI_Wan2.1-T2V-14B": Nature(behaviour=Behaviour(median=150).over(_WAN)),
        "wan2.6-t2v": _WAN_2,
        "wan2.6-i2v": _WAN_2,
        "wan2.7-t2v": _WAN_2,
        "seedance-2-0-260128": _seedance(134, "resolution", {"480p": 70000, "720p": 152000, "1080p": 374000}),
        # 1080p is in the schema and has no price: refused when the request is created.
        "seedance-2-5-260628": _seedance(134, "resolution", {"480p": 231000, "720p": 231000}),
        "seedance-1-0-pro-fast-251015": _seedance(34),
        "pixverse-v5.6-t2v": Nature(behaviour=_MEDIA_URLS),
        "pixverse-v5.6-i2v": Nature(behaviour=_MEDIA_URLS),
        "vidu-q3-pro-t2v": Nature(behaviour=_MEDIA_URLS),
        "seedream-5.0-lite": Nature(
            behaviour=Behaviour(sync=True, median=14, sigma=0.1, outcome="media_urls", thumbnail="none")
        ),
        "Z-Image": Nature(behaviour=Behaviour(dead=True)),
    }
)
"""Medians are production figures where users wrote them down (Kling 2.1 about 240 s, seedance 34 and 134 s,
seedream 14 s, wan2.7 over 120 s for two); the others are of the same order."""
