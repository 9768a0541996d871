"""A budget is never passed, a price is never guessed, and nothing is posted twice but by a number."""

from decimal import Decimal
from pathlib import Path

import pytest
from attrs import evolve

from batch.rundown import MINUTE, Told, played, rivers, rows_of, stage, told
from gmi_video import Session, VideoRequest
from gmi_video.batch import Batch, BudgetExceeded, Journal, Retry
from gmi_video.batch.database import Job, T
from gmi_video.errors import ConfigurationError
from gmi_video.sandbox import Behaviour, Sandbox, Script
from gmi_video.sandbox.behaviour import Foreign
from gmi_video.testing import run


class Counting(Journal):
    """A journal that counts what it is asked to write or read."""

    jobs = 0

    async def do(self, job: Job[T]) -> T:
        self.jobs += 1
        return await super().do(job)


VEO = Decimal("3.2")
"""What a Veo3 request costs by the sandbox's catalog, with the schema's defaults."""


def test_a_budget_is_never_passed_and_says_what_it_stopped_at() -> None:
    """Three of twenty fit into $10; the fourth is not sent, and the run ends with `BudgetExceeded`."""
    end, charges = played(rivers(20), budget="10")

    assert isinstance(end.error, BudgetExceeded)
    assert (end.error.budget, end.error.spent + end.error.reserved) == (Decimal(10), 3 * VEO)
    assert charges.total() == 3
    assert end.states == {"done": 3}
    assert end.statistics.lines.parked == 17
    assert end.statistics.spent == 3 * VEO


def test_what_is_beyond_a_budget_is_set_aside_in_few_commits(tmp_path: Path) -> None:
    """A thousand lines that a budget has no room for cost a handful of commits, in each run; a cheaper one behind them is sent."""
    cheap = [
        VideoRequest("Veo3", {"prompt": f"brook {n}", "durationSeconds": "4"}, key=f"cheap-{n}")
        for n in range(2)
    ]

    async def main() -> tuple[list[int], list[Told], int]:
        counts, ends = [], []
        async with stage() as (sandbox, session):
            for _ in range(2):
                journal = Counting(tmp_path / "run.db")
                with journal:
                    batch = Batch(session, journal=journal, budget="5")
                    await batch.add([*rivers(700), *cheap, *rivers(300, first=700)])
                    journal.jobs = 0
                    ends.append(await told(batch))
                    await batch.aclose()
                counts.append(journal.jobs)
            return counts, ends, len(sandbox.charges)

    counts, ends, charges = run(main())

    assert max(counts) < 100
    assert charges == 2
    assert [end.statistics.lines.parked for end in ends] == [1000, 1000]
    assert all(isinstance(end.error, BudgetExceeded) for end in ends)
    assert {row.reason for row in rows_of(tmp_path / "run.db") if row.state == "parked"} == {
        "$3.20 for Veo3 would pass the budget of $5.00",
        "$1.60 for Veo3 would pass the budget of $5.00",
    }


def test_a_budget_holds_over_all_runs_of_a_journal(tmp_path: Path) -> None:
    """What earlier runs spent is counted to the cent; a larger budget goes on from there."""

    async def main() -> list[int]:
        async with stage() as (sandbox, session):
            counts = []
            for budget in ("6.4", "6.4", "9.6"):
                async with Batch(session, journal=tmp_path / "run.db", budget=budget) as batch:
                    await batch.add(rivers(5))
                    await told(batch)
                counts.append(len(sandbox.charges))
            return counts

    assert run(main()) == [2, 2, 3]


def test_money_that_comes_back_is_spent_on_what_waited_for_it() -> None:
    """A failed request is not charged, so the line that was beyond the budget goes on in the same run."""
    fails_first = Script(submissions=[evolve(MINUTE, fails="the model broke down")], models={"*": MINUTE})

    end, charges = played(rivers(2), fails_first, budget=VEO, max_in_flight=1)

    assert end.error is None
    assert end.states == {"failed": 1, "done": 1}
    assert end.statistics.spent == VEO
    assert charges.total() == 2


def test_a_reservation_outlives_its_process(tmp_path: Path) -> None:
    """What an undecided submission may cost stays reserved in the journal, and later runs count it."""
    lost = Script(submissions=[Behaviour.edge(502)], models={"*": MINUTE})

    async def main() -> tuple[Decimal, int]:
        async with stage(lost) as (sandbox, session):
            for _ in range(2):
                async with Batch(session, journal=tmp_path / "run.db", budget=2 * VEO) as batch:
                    await batch.add(rivers(3))
                    end = await told(batch)
            return end.statistics.reserved, len(sandbox.charges)

    reserved, charges = run(main())

    assert reserved == VEO
    assert charges == 1
    assert [row.state for row in rows_of(tmp_path / "run.db")].count("uncertain") == 1


def test_an_unknown_price_is_refused_where_a_budget_is_set() -> None:
    """Without a price nobody can keep a budget: `add` says so, and `assume_price` is the way out."""

    async def main() -> Decimal:
        async with stage() as (_, session):
            async with Batch(session, budget="10") as batch:
                with pytest.raises(ConfigurationError, match="names no price of no-such-model"):
                    await batch.add(rivers(1, "no-such-model"))
            async with Batch(session, budget="10", assume_price="0.07") as batch:
                await batch.add(rivers(1, "no-such-model"))
                end = await told(batch)
            (done,) = end.ends
            assert done.cost is not None
            return done.cost

    assert run(main()) == Decimal("0.07")


def test_an_empty_account_parks_what_is_dearer_and_goes_on_with_the_rest() -> None:
    """After a 402 no line of that price or more is sent, cheaper ones are, and all are told why."""
    cheap = [
        VideoRequest("Veo3-Fast", {"prompt": f"brook {n}", "durationSeconds": "4"}, key=f"cheap-{n}")
        for n in range(3)
    ]

    end, charges = played([*rivers(6), *cheap], Script(models={"*": MINUTE}, balance=5_500_000))

    by_key = {done.key: done for done in end.ends}
    assert end.error is None
    assert charges["river 0"] + charges["river 1"] + charges["river 2"] <= 1
    assert {by_key[f"Veo3-{n}"].state for n in range(1, 6)} <= {"parked", "done"}
    assert end.errors["InsufficientCredit"] == end.states["parked"]
    assert sum(by_key[f"cheap-{n}"].state == "done" for n in range(3)) >= 1


def test_failures_that_cost_nothing_are_tried_again_as_often_as_allowed(tmp_path: Path) -> None:
    """A request that failed for want of rate is posted again under a new id, three times in all; no more."""
    busy = Script(models={"*": evolve(MINUTE, fails="rate limit exceeded(RPM)")})

    end, charges = played(rivers(2), busy, retry=Retry(attempts=3), journal=tmp_path / "run.db")

    assert charges == {"river 0": 3, "river 1": 3}
    assert [done.attempts for done in end.ends] == [3, 3]
    assert end.errors == {"GenerationFailed": 2}
    assert end.statistics.spent == 0


@pytest.mark.parametrize("fails", ["Content policy violation: the prompt was blocked", "prompt is invalid"])
def test_content_and_input_are_never_tried_again(fails: str) -> None:
    """What was refused for what it says would be refused again."""
    end, charges = played(rivers(2), Script(models={"*": evolve(MINUTE, fails=fails)}), retry=Retry())

    assert charges.total() == 2
    assert end.states == {"failed": 2}


def test_retry_takes_no_kind_that_would_be_refused_again() -> None:
    """`Retry` for content is refused when it is made."""
    with pytest.raises(ConfigurationError, match="holds 'content'"):
        Retry(kinds=frozenset({"content"}))


def test_answers_that_were_lost_are_found_and_never_posted_again() -> None:
    """Behind five gateways' 502 the requests run: they are found in the list, and each prompt is charged once."""
    lost = Script(submissions=[Behaviour.edge(502, accepted=True)] * 5, models={"*": MINUTE})

    end, charges = played(rivers(10), lost)

    assert end.states == {"done": 10}
    assert set(charges.values()) == {1}


def test_what_stays_undecided_is_told_with_its_price_and_decided_by_a_person(tmp_path: Path) -> None:
    """An undecided line is handed out and kept; once somebody has resolved it, the next run goes on with it."""
    lost = Script(submissions=[Behaviour.edge(502)] * 2, models={"*": MINUTE})

    async def main() -> tuple[list[str], list[str]]:
        async with stage(lost) as (_, session):
            batch = Batch(session, journal=tmp_path / "run.db")
            await batch.add(rivers(4))
            first = await told(batch)
            assert all(done.cost == VEO for done in first.ends)
            rows = [row for row in rows_of(tmp_path / "run.db") if row.state == "uncertain"]
            assert all("lost" in row.reason or "502" in row.reason for row in rows)
            with Journal(tmp_path / "run.db") as journal:
                view = session.using(store=journal)
                for intent in await view.uncertain():
                    await view.resolve(intent, absent=True)
            second = await told(batch)
            return [done.state for done in first.ends], [done.state for done in second.ends]

    first, second = run(main())

    assert sorted(first) == ["done", "done", "uncertain", "uncertain"]
    assert second == ["done", "done"]


@pytest.mark.parametrize(("allowed", "done"), [(0, 7), (2, 9), (3, 10)])
def test_second_posts_are_a_number_over_all_runs(allowed: int, done: int, tmp_path: Path) -> None:
    """Of three POSTs that never arrived as many are made again as were allowed, however often it is run."""
    lost = Script(submissions=[Behaviour.edge(502)] * 3, models={"*": MINUTE})

    async def main() -> tuple[int, int]:
        async with Sandbox(lost, render=False) as sandbox:
            for _ in range(3):
                async with (
                    Session(sandbox.settings) as session,
                    Batch(session, journal=tmp_path / "run.db", resubmit_absent=allowed) as batch,
                ):
                    await batch.add(rivers(10))
                    end = await told(batch)
            return end.statistics.lines.done, sandbox.count_calls("submit")

    assert run(main()) == (done, 10 + allowed)


def test_orphans_are_found_priced_and_can_be_adopted(tmp_path: Path) -> None:
    """A request like ours that nobody owns is reported with its price; adopted, its video is saved as well."""
    twins = Script(models={"*": evolve(MINUTE, foreign=Foreign(after=(5.0,), share=1.0))})

    async def main() -> tuple[int, list[Decimal | None], int, int]:
        async with stage(twins) as (sandbox, session):
            batch = Batch(session, journal=tmp_path / "run.db", out=tmp_path / "videos")
            await batch.add(rivers(3))
            await told(batch)
            orphans = await batch.audit()
            assert batch.statistics().orphans == 3
            for orphan in orphans:
                await batch.adopt(orphan)
            end = await told(batch)
            left = await batch.audit()
            await batch.aclose()
            assert len(sandbox.charges) == 3
            return len(orphans), [orphan.cost for orphan in orphans], len(end.ends), len(left)

    assert run(main()) == (3, [VEO] * 3, 3, 0)
    assert len(list((tmp_path / "videos").iterdir())) == 6


def test_what_an_earlier_batch_made_of_equal_prompts_is_no_orphan(tmp_path: Path) -> None:
    """Of the same prompts a minute before, nothing is an orphan of a later batch; a twin of its own is."""
    twins = Script(models={"*": evolve(MINUTE, foreign=Foreign(after=(5.0,), share=1.0))})

    async def orphans(session: Session, name: str) -> int:
        async with Batch(session, journal=tmp_path / name) as batch:
            await batch.add(rivers(3))
            await told(batch)
            return len(await batch.audit())

    async def main() -> list[int]:
        async with stage(twins) as (_, session):
            return [await orphans(session, name) for name in ("first.db", "second.db")]

    assert run(main()) == [3, 3]


def test_no_reservation_is_left_when_all_is_over() -> None:
    """Whatever happened to the lines of a faulty hour, in the end nothing is reserved and the sums are exact."""
    script = Script(
        submissions=[Behaviour.edge(502, accepted=True), Behaviour.no_capacity(), None] * 5,
        models={"*": evolve(MINUTE, rpm=20)},
    )

    end, charges = played(rivers(30), script, budget="1000")

    assert end.states == {"done": 30}
    assert end.statistics.reserved == 0
    assert end.statistics.spent == VEO * charges.total() == VEO * 30
