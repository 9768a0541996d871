"""The third origin: where a redirect leads away. It answers whatever comes as if it were the queue, and notes it."""

from gmi_video.sandbox.answers import Answer
from gmi_video.sandbox.calls import Operation
from gmi_video.sandbox.stage import HttpCall

STRANGE_ID = "00000000-0000-4000-8000-00000000e15e"
"""The request id that this origin tells: no queue knows it."""


def route(_method: str, _path: str) -> tuple[Operation, str] | Answer:
    """Every call is answered."""
    return "unknown", ""


async def answer(call: HttpCall) -> Answer:
    """A plausible acceptance for a POST, an empty list for all else: a client that follows is deceived."""
    if call.method in {"POST", "PUT"}:
        now = 0
        return Answer.of(
            {"request_id": STRANGE_ID, "model": "", "status": "queued", "created_at": now, "updated_at": now}
        )
    return Answer.of({"requests": [], "model_ids": [], "total": 0, "has_more": False})
