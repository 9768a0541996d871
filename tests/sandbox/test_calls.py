import pytest

from gmi_video.sandbox.calls import CallLog, Operation


def begin(log: CallLog, operation: Operation = "look", now: float = 0.0) -> tuple[int, Operation]:
    """A call that begins."""
    return log.begin(
        origin="api",
        operation=operation,
        method="GET",
        path="/x",
        query="limit=2&model_id=",
        headers=(),
        now=now,
    )


def test_a_call_under_way_has_no_status_yet() -> None:
    """A call is seen from its start; status and end come with its end."""
    log = CallLog()
    began = begin(log, now=5.0)
    before = log.rows[0]
    log.end(began, status=200, now=7.0)
    after = log.rows[0]

    assert (before.status, before.ended) == (None, None)
    assert (after.at, after.ended, after.status) == (5.0, 7.0, 200)
    assert after.parameters == {"limit": "2", "model_id": ""}


def test_peaks_are_exact_within_one_moment() -> None:
    """Calls that begin and end at one moment of virtual time still count in their true order."""
    log = CallLog()
    one = begin(log)
    log.end(one, status=200, now=0.0)
    two, three = begin(log), begin(log)
    log.end(two, status=200, now=0.0)
    log.end(three, status=200, now=0.0)

    assert log.peak("look") == log.peak() == 2
    assert [row.in_flight for row in log.rows] == [1, 1, 2]


def test_a_joint_peak_counts_several_kinds_together() -> None:
    """Looks and sweeps under way at once count as one crowd; a third kind does not."""
    log = CallLog()
    look, sweep, post = begin(log, "look"), begin(log, "list"), begin(log, "submit")
    for began in (look, sweep, post):
        log.end(began, status=200, now=1.0)
    log.end(begin(log, "look"), status=200, now=2.0)
    begin(log, "list")

    assert log.peak("look", "list") == 2
    assert log.peak("look", "list", "submit") == log.peak() == 3
    assert log.peak("model") == 0


def test_without_rows_counts_and_single_peaks_remain() -> None:
    """A log that keeps no rows still counts, and refuses the one question it cannot answer."""
    log = CallLog(keep=False)
    began = begin(log)
    begin(log)
    log.end(began, status=200, now=1.0)

    assert log.rows == []
    assert (log.counts["look"], log.peak("look"), log.peak()) == (2, 2, 2)
    with pytest.raises(LookupError, match="not kept"):
        log.peak("look", "list")
