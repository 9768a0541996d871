"""The store in memory, and the bounds of what is remembered."""

from intents import intent, record
from lostfound import EAGLE, RIVER, opened

from gmi_video import MemoryStore, State
from gmi_video._memory import FEW, UNDECIDED, YOUNG, Memory
from gmi_video.testing import run


def test_memory_keeps_what_is_open() -> None:
    """Ended intents are forgotten; the open ones come oldest first."""

    async def main() -> tuple[list[str], list[str]]:
        store = MemoryStore()
        for name in "abc":
            await store.put(intent(name, state=State.SENDING))
        await store.put(intent("b", state=State.ACCEPTED))
        before = [one.id for one in await store.undecided()]
        await store.put(intent("a", state=State.NEEDS_DECISION))
        await store.put(intent("c", state=State.PREPARED))
        return before, [one.id for one in await store.undecided()]

    assert run(main()) == (["a", "c"], ["a"])


def test_memory_gives_a_request_one_owner() -> None:
    """The first to claim it; claiming again is no second claim. The oldest claims are forgotten."""

    async def main() -> tuple[list[bool], object, object]:
        store = MemoryStore(claims=2)
        claimed = [
            await store.claim(request_id, owner) for request_id, owner in ("ra", "rb", "ra", "sb", "sa")
        ]
        known = await store.claims(["r", "s", "t"])
        await store.claim("t", "c")
        return claimed, known, await store.claims(["r", "s", "t"])

    assert run(main()) == ([True, False, True, True, False], {"r": "a", "s": "b"}, {"s": "b", "t": "c"})


def test_a_million_submissions_do_not_pile_up() -> None:
    """What a session remembers of ended submissions has bounds, and what is under way is gone with its end."""

    async def main() -> dict[str, int]:
        async with opened() as (_, session):
            for _ in range(40):
                await session.submit(EAGLE)
                await session.submit(RIVER)
            state = await session._core.open()
            memory = state.reconciler.memory
            desk = state.reconciler._desk("Veo3")
            return {
                "under way": len(state.submissions._posts),
                "sending": len(desk.sending) + len(desk.waiting) + len(desk.refused),
                "lines": len(desk.fence._lines) + len(desk.fence._lost),
                "open": len(await session.uncertain()),
                "owners": len(memory.owners),
            }

    assert run(main()) == {"under way": 0, "sending": 0, "lines": 0, "open": 0, "owners": 80}


def test_what_is_remembered_of_requests_has_bounds() -> None:
    """Old owners, sights and doubts are forgotten; hours of submissions need no more than the last one."""

    async def main() -> tuple[int, int, int, bool]:
        memory, store = Memory(), MemoryStore(claims=10)
        for number in range(5 * FEW):  # five an hour for each of the few
            memory.turn(number * YOUNG / FEW, lambda: float("inf"))
            memory.first_seen(record(f"r{number}"))
            await memory.claim(f"r{number}", intent("a"), store)
        for number in range(UNDECIDED + 10):
            memory.is_one_of(intent(f"i{number}"), ["r"])
        memory.is_one_of(intent("twice", attempt=2), ["r"])
        return len(memory.seen), len(memory.owners), len(memory.among), "twice" in memory.among

    seen, owners, among, twice = run(main())
    assert FEW <= seen == owners <= 1.25 * FEW
    assert (among, twice) == (UNDECIDED, False)


def test_what_an_undecided_submission_may_be_taken_for_is_not_forgotten() -> None:
    """Whoever is found to own a request later than it was sent owns it until it is decided, in the session and its store."""

    async def main() -> list[bool]:
        memory, store = Memory(), MemoryStore(claims=1000)
        doubtful = intent("d", state=State.NEEDS_DECISION)
        await store.put(doubtful)
        memory.doubt(doubtful, 0.0)
        told = []
        for number in range(3 * FEW):
            memory.turn(number * 3 * YOUNG / FEW, lambda: float("inf"))
            await memory.claim(f"r{number}", intent("a"), MemoryStore())
            if number < 8000:
                await store.claim(f"s{number}", "a")
            if number == 2 * FEW:
                told += ["r0" in memory.owners, bool(await store.claims(["s0"]))]
                memory.decided(doubtful)
                await store.put(intent("d", state=State.REJECTED))
                await store.claim("last", "a")
        return [*told, "r0" in memory.owners, bool(await store.claims(["s0"]))]

    assert run(main()) == [True, True, False, False]


def test_a_claim_that_the_store_refuses_is_not_remembered() -> None:
    """Its owner there may be known here later."""

    async def main() -> tuple[list[bool], dict[str, str]]:
        memory, store = Memory(), MemoryStore()
        await store.claim("r", "theirs")
        taken = [
            await memory.claim("r", intent("ours"), store),
            await memory.claim("r", intent("theirs"), store),
        ]
        return [*taken, await memory.claim("r", intent("theirs"), store)], dict(memory.owners)

    assert run(main()) == ([False, True, True], {"r": "theirs"})
