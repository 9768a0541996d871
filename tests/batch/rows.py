"""Rows as a journal would give them."""

from decimal import Decimal
from typing import Any

from gmi_video.batch.records import BatchStatistics, Row, Stored, Tally

EVIL = '</script><script>document.title="owned"</script><!-- & "quotes" \u2028 \ud83e 狐 <img src=x onerror=alert(1)>'


def row(number: int = 1, **changes: Any) -> Row:
    told: dict[str, Any] = {
        "model": "Veo3",
        "payload": {"prompt": f"a fox, take {number}"},
        "state": "done",
        "request_id": f"r-{number}",
        "attempts": 1,
        "cost": Decimal("0.6"),
        "added_at": 1000.0,
        "submitted_at": 1000.0 + number,
        "ended_at": 1100.0 + number,
        "queued": 10.0,
        "processing": 60.0,
        "downloading": 2.0,
    }
    told["spent"] = changes.get("state", "done") in {"running", "saving", "done"}
    return Row(number=number, **{**told, **changes})


def stored(location: str, size: int = 1000) -> Stored:
    return Stored(location=location, size=size, sha256="0" * 64)


def statistics(**changes: Any) -> BatchStatistics:
    return BatchStatistics(**{"lines": Tally(done=1), "spent": Decimal("0.6"), **changes})
