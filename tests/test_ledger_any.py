"""Whatever the judge is told, it gives no record twice, and none that cannot be."""

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from intents import intent, record
from judging import EAGLE, RIVER, SEEDED
from searching import search

from gmi_video import Intent, Snapshot
from gmi_video._ledger import judge
from gmi_video._likeness import shape
from gmi_video._matter import Matter

PAYLOADS: list[Mapping[str, Any]] = [EAGLE, RIVER, SEEDED, {**SEEDED, "duration": 5}, {}]


TIMES = st.integers(0, 300)


@st.composite
def intents_of(draw: st.DrawFn, names: Sequence[str]) -> list[Intent]:
    return [
        intent(
            name,
            draw(st.sampled_from(PAYLOADS)),
            sent=(sent := draw(TIMES)),
            failed=draw(st.none() | st.integers(sent, sent + 100)),
            fingerprint=draw(st.booleans()),
            status=draw(st.sampled_from([None, 502])),
        )
        for name in draw(st.lists(st.sampled_from(names), unique=True, max_size=4))
    ]


@st.composite
def matters(draw: st.DrawFn) -> Matter:
    names = draw(st.lists(st.sampled_from("rstuvw"), unique=True, max_size=6))
    listed = [
        record(
            name,
            draw(st.sampled_from(PAYLOADS)),
            at=draw(TIMES),
            status=draw(st.sampled_from(["queued", "failed", "success"])),
        )
        for name in names
    ]
    moments = st.integers(0, 9)
    return Matter(
        ambiguous=draw(intents_of(["a1", "a2", "a3", "a4"])),
        sending=draw(intents_of(["b1", "b2"])),
        refused=draw(intents_of(["c1", "c2"])),
        abroad=draw(intents_of(["d1", "d2"])),
        elsewhere=draw(intents_of(["e1", "e2"])),
        listed=listed,
        claimed=draw(
            st.dictionaries(st.sampled_from("rstuvw"), st.sampled_from(["a1", "c1", "z"]), max_size=2)
        ),
        seen=draw(st.dictionaries(st.sampled_from("rstuvw"), moments)),
        sent=draw(st.dictionaries(st.sampled_from(["a1", "a2", "b1"]), moments)),
        faithful=frozenset(map(shape, draw(st.lists(st.sampled_from(PAYLOADS), max_size=3)))),
        settle=draw(st.sampled_from([0.0, 120.0])),
        alone=draw(st.booleans()),
    )


def _possible(matter: Matter, who: Intent, what: Snapshot) -> bool:
    if matter.claimed.get(what.request_id) == who.id:
        return True
    return what.request_id not in matter.claimed and matter.could_be(who, what)


@search(50, of=100)
@given(matters())
def test_whatever_it_is_told_it_gives_no_record_twice_and_none_that_it_may_not(matter: Matter) -> None:
    """Each intent has one finding; a record has one owner, of its time, and nobody else's."""
    findings = judge(matter)
    wanted = {one.id: one for one in (*matter.ambiguous, *matter.refused)}
    given_out = [finding.snapshot for finding in findings.values() if finding.snapshot is not None]
    records = {one.request_id: one for one in matter.listed}

    assert findings.keys() == wanted.keys()
    assert len({one.request_id for one in given_out}) == len(given_out)
    for name, finding in findings.items():
        if finding.snapshot is not None:
            assert _possible(matter, wanted[name], records[finding.snapshot.request_id])
            assert (
                not matter.any_could_be(
                    [one for one in matter.sending if one.digest == wanted[name].digest], finding.snapshot
                )
                or name in matter.claimed.values()
                or wanted[name] in matter.refused
            )
        assert set(finding.candidates) <= records.keys()


@search(50, of=100)
@given(matters())
def test_it_does_not_depend_on_the_order_of_the_list(matter: Matter) -> None:
    """A shuffled list leads to as many adoptions as a sorted one."""
    forward = judge(matter)
    backward = judge(evolve(matter, listed=tuple(reversed(matter.listed))))

    assert sum(1 for one in forward.values() if one.snapshot) == sum(
        1 for one in backward.values() if one.snapshot
    )
