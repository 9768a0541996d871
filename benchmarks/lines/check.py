"""Line 15: what checking and pricing one payload take, by the schemas that the sandbox serves."""

import gc
import time
from collections.abc import Callable, Iterator
from statistics import median

from benchmarks.figures import Effort, Figure, Line
from gmi_video import Model
from gmi_video.sandbox.catalog import offers

_PAYLOAD = {
    "prompt": "a slow pan round a lighthouse at dusk",
    "img_url": "https://example.com/frame.jpg",
    "audio_url": None,
    "negative_prompt": "grainy, smeared",
    "resolution": "1080P",
    "duration": 10,
    "prompt_extend": True,
    "shot_type": "single",
    "audio": True,
    "watermark": False,
    "seed": 987654321,
}
"""As the vendor's page of wan2.6-i2v sends it: every parameter that the model has."""


def _microseconds(once: Callable[[], object], times: int) -> float:
    begun = time.process_time()
    for _ in range(times):
        once()
    return (time.process_time() - begun) / times * 1e6


def _measure(effort: Effort) -> Iterator[Figure]:
    times, rounds = (2_000, 5) if effort == "quick" else (20_000, 15)
    model = Model.from_dict(offers()["wan2.6-i2v"].detail)
    wrong = {**_PAYLOAD, "duration": "10", "aspect_ratio": "16:9"}
    gc.collect()
    for what, once, target in (
        ("check, an ordinary payload of 11 names", lambda: model.check(_PAYLOAD), 30.0),
        ("check, two problems with suggestions", lambda: model.check(wrong), None),
        ("price_of", lambda: model.price_of(_PAYLOAD), None),
    ):
        samples = tuple(_microseconds(once, times) for _ in range(rounds))
        yield Figure(what=what, value=median(samples), unit="µs", target=target, samples=samples)


LINE = Line(number=15, name="check", what="check and price of one payload", measure=_measure)
