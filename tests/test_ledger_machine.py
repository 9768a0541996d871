"""The money machine: whatever happens in whatever order, each request has one owner, and none is paid for twice.

Real sessions on a small service, in virtual time: answers are lost, come late or are refused, lists lag,
strangers submit as well, callers are cancelled, clocks step, processes are killed and their intents recovered.
"""

import asyncio
from collections import Counter
from collections.abc import Coroutine
from random import Random
from typing import Any, TypeVar

import pytest
from hypothesis import seed as hypothesis_seed
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)
from intents import Ledger
from processes import Process, Wanted, waited
from searching import search
from smallservice import LOOP_BEGINS, Made, SmallService

from gmi_video import Abandoned, Intent, Notice, Resubmit, Session, Snapshot, State, VideoRequest, errors
from gmi_video._matter import DRIFT
from gmi_video._servertime import WALL_SLACK
from gmi_video.settings import Settings
from gmi_video.testing import VirtualLoop

T = TypeVar("T")

PAYLOADS: list[dict[str, Any]] = [
    {"prompt": "eagle"},
    {"prompt": "eagle", "seed": 7},
    {"prompt": "river"},
    {"image": "https://example.com/1.png"},
]
SETTLE = 40
AT_MOST = 2
FATES = [
    "accepted",
    "accepted",
    "dropped",
    "gateway",
    "truncated",
    "never",
    "unreached",
    "backend",
    "limit",
    "capacity",
]


class Money(RuleBasedStateMachine):
    """See above. The service's idempotency key tells whose each record is, which our side never looks at."""

    @initialize(
        echo=st.sampled_from(["payload", "more", "empty", "altered"]),
        policy=st.sampled_from(["raise", "reconcile", Resubmit(at_most=AT_MOST)]),
        alone=st.booleans(),
    )
    def begin(self, echo: str, policy: Any, alone: bool) -> None:
        self.loop = VirtualLoop()
        self.service = SmallService(echo=echo)  # type: ignore[arg-type]  # one of its words
        self.policy, self.alone = policy, alone
        self.store = Ledger()
        self.told: list[Notice] = []
        self.wanted: list[Wanted] = []
        self.strangers = 0
        self.sessions = 0
        self.stepped = False
        self.steps = 0.0
        self.session, self.process = self._session()

    def _session(self) -> tuple[Session, Process]:
        process = Process(self.store)
        self.sessions += 1
        late = self.loop.time() - LOOP_BEGINS  # so much this machine's clock is behind the virtual one
        self.stepped = self.stepped or late > WALL_SLACK - SETTLE
        settings = Settings(
            api_key="k",
            check="off",
            settle=SETTLE,
            on_uncertain=self.policy,
            writers="alone" if self.alone else "shared",
        )
        session = Session(
            settings, transport=self.service, store=process, rng=Random(0), observers=[self.told.append]
        )
        return session, process

    def run_(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    # What callers do

    @rule(
        payload=st.sampled_from(PAYLOADS), fate=st.sampled_from(FATES), pause=st.sampled_from([0, 0, 0.5, 3])
    )
    def submit(self, payload: dict[str, Any], fate: str, pause: float) -> None:
        self.service.fates.append(fate)
        self._submit(payload)
        self.run_(asyncio.sleep(pause))

    def _submit(self, payload: dict[str, Any]) -> None:
        number = len(self.wanted)

        async def begin() -> "asyncio.Task[Snapshot]":
            request = VideoRequest("Veo3", payload, key=number)
            return waited(self.session.submit(request))

        self.wanted.append(Wanted(number, payload, self.run_(begin())))

    @rule(data=st.data())
    @precondition(lambda self: self.wanted)
    def cancel(self, data: st.DataObject) -> None:
        data.draw(st.sampled_from(self.wanted)).task.cancel()
        self.run_(asyncio.sleep(0))

    # What the world does

    @rule(seconds=st.sampled_from([0.1, 1, 3, 10, 30, 90]))
    def wait(self, seconds: float) -> None:
        self.run_(asyncio.sleep(seconds))

    @rule(lag=st.sampled_from([0, 0, 1, 5, 15]))
    def lag(self, lag: float) -> None:
        self.service.lag = lag

    @rule(takes=st.sampled_from([0, 0, 0.5, 5, 30]))
    def slow(self, takes: float) -> None:
        self.service.takes = takes

    @rule(payload=st.sampled_from(PAYLOADS), late=st.sampled_from([0.5, 5, 15]))
    def arrive_late(self, payload: dict[str, Any], late: float) -> None:
        """A proxy holds the POST back, answers nothing, and passes it on later."""
        self.run_(asyncio.sleep(1))
        self.service.fates.clear()
        self.service.fates.append("late")
        self.service.late = late
        self._submit(payload)
        self.run_(asyncio.sleep(0.2))

    @rule(payload=st.sampled_from(PAYLOADS))
    def stranger(self, payload: dict[str, Any]) -> None:
        """Another writer: of equal payloads where that was said, of others where each record shows its payload."""
        if not self.alone or self.service.echo in {"payload", "more"}:
            self.strangers += 1
            theirs = payload if not self.alone else {"prompt": f"stranger {self.strangers}"}
            self.run_(self._made(theirs))

    async def _made(self, payload: dict[str, Any]) -> None:
        self.service.make("Veo3", payload)

    @rule(step=st.sampled_from([-20.0, -1.0, 1.0, 20.0]))
    def clock_steps(self, step: float) -> None:
        """The service's clock is set, by less than a minute from first to last, as far as it is allowed for: what it
        is not right to a second is not found, and not guessed either.
        """  # noqa: D205  # one thought
        self.steps += step
        if abs(self.steps) > DRIFT / 2:
            self.steps -= step
            return
        self.service.ahead += step
        self.stepped = self.stepped or abs(step) > 1

    @rule()
    def kill(self) -> None:
        """The process dies; another one recovers what it left."""
        self.process.killed = True
        for wanted in self.wanted:
            wanted.task.cancel()
        old = self.session
        self.session, self.process = self._session()
        self.run_(self._buried(old))
        for intent in self.store._open.copy().values():
            self._recover(intent)
        self.run_(asyncio.sleep(0.1))

    async def _buried(self, old: Session) -> None:
        ours = [task for task in asyncio.all_tasks() if task.get_name().startswith(("gmi_video", "caller"))]
        for _ in range(3):
            for task in ours:
                task.cancel()
            await asyncio.sleep(0)
        old._core.abandon()
        del self.told[:]  # nobody heard it

    def _recover(self, intent: Intent) -> None:
        async def begin() -> "asyncio.Task[Snapshot]":
            return waited(self.session.recover(intent))

        wanted = self.wanted[intent.key]
        wanted.task = self.run_(begin())

    # What must hold

    def teardown(self) -> None:
        if not hasattr(self, "loop"):
            return
        self.service.fates.clear()
        self.run_(asyncio.sleep(4000))
        try:
            self._check()
        finally:
            self.run_(self.session.aclose())
            self.run_(asyncio.sleep(1))
            assert not [task for task in asyncio.all_tasks(self.loop) if not task.done()]
            self.loop.close()

    def _check(self) -> None:
        latest = {intent.key: intent for intent in self.store.latest.values()}
        owned: Counter[str] = Counter()
        left: Counter[str] = Counter()
        charged: Counter[str] = Counter()
        wishes: Counter[str] = Counter()  # equal ones are interchangeable: each charge is for one of them
        for wanted in self.wanted:
            intent = latest.get(wanted.number)
            self._check_end(wanted, intent)
            if intent is None:
                continue
            charges = self.service.charges(intent.id)
            if intent.state is State.ACCEPTED:
                assert intent.request_id is not None
                owned[intent.request_id] += 1
                assert self.store._owners[intent.request_id] == intent.id
                assert self._may_own(self.service.owner(intent.request_id), wanted)
            elif intent.state.open:
                left[str(wanted.payload)] += 1
                assert intent.state is State.NEEDS_DECISION
            else:
                assert charges == 0
                continue
            wishes[str(wanted.payload)] += 1
            charged[str(wanted.payload)] += charges
        assert all(count == 1 for count in owned.values())
        assert all(charged[payload] <= wishes[payload] for payload in charged), (charged, wishes)
        self._check_nothing_is_lost(owned, left)
        self._check_second_posts()

    def _check_end(self, wanted: Wanted, intent: Intent | None) -> None:
        """Exactly one end, told to the caller or to an observer, and the same that the store has."""
        task = wanted.task
        assert task.done()
        if task.cancelled():
            told = [one for one in self.told if isinstance(one, Abandoned) and one.key == wanted.number]
            assert len(told) <= 1
            if told and told[0].error is None:
                assert intent is not None
                assert told[0].request_id == intent.request_id
            return
        error = task.exception()
        if error is None:
            assert intent is not None
            assert intent.request_id == task.result().request_id
        elif isinstance(error, errors.SubmissionUncertain):
            assert intent is not None
            assert intent.state is State.NEEDS_DECISION
        else:
            assert isinstance(error, errors.Unreachable | errors.ResponseError), error
            assert intent is not None
            assert intent.state in {State.PREPARED, State.REJECTED}

    def _may_own(self, made: Made, wanted: Wanted) -> bool:
        """Equal payloads are interchangeable; a stranger's is ours only where strangers were ruled out."""
        return made.payload == wanted.payload and made.owner != ""

    def _check_nothing_is_lost(self, owned: Counter[str], left: Counter[str]) -> None:
        """Each request that was paid for has an owner, or an undecided submission that may be it."""
        orphans = [
            made for made in self.service.made if made.owner and made.charged and made.request_id not in owned
        ]
        lost = Counter(str(made.payload) for made in orphans)
        assert all(left[payload] >= count for payload, count in lost.items()), (lost, left)
        exact = (
            self.service.echo == "payload"
        )  # else a record may contain two of these payloads, and be either
        if exact and self.alone and self.policy != "raise" and not self.stepped:
            assert not lost, "an echo was there, and it was not found"

    def _check_second_posts(self) -> None:
        attempts = Counter({intent.id: intent.attempt for intent in self.store.latest.values()})
        second = sum(attempt - 1 for attempt in attempts.values() if attempt > 1)
        assert second <= (AT_MOST * self.sessions if isinstance(self.policy, Resubmit) else 0)


STEADY = search(50, of=100, stateful_step_count=25)
Money.TestCase.settings = STEADY
TestMoney = Money.TestCase


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(8))
def test_thousands_of_histories(seed: int) -> None:
    """The same, for long."""
    many = hypothesis_settings(STEADY, max_examples=500, stateful_step_count=50, derandomize=False)
    run_state_machine_as_test(hypothesis_seed(seed)(Money), settings=many)
