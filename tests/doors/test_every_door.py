"""One queue behind three doors: the same session, events, files and care for money at each of them."""

from pathlib import Path
from random import Random
from typing import Literal

import pytest
from attrs import evolve
from cargo import picture
from scene import EAGLE, SECONDS, ours, told, words

from gmi_video import Resubmit, Session, Status, VideoRequest, errors
from gmi_video._door import DOORS
from gmi_video.sandbox import Behaviour, Faults, Sandbox, Script
from gmi_video.testing import run
from gmi_video.wire import BODY_CAP, LIST_CAP

DoorName = Literal["apikey", "console", "early"]
EVERY: tuple[DoorName, ...] = ("apikey", "console", "early")
PICTURE = picture(form="PNG")
LISTING: tuple[DoorName, ...] = ("apikey", "console")


def sandbox_of(script: Script | None = None) -> Sandbox:
    return Sandbox(script or Script(models={"*": SECONDS}), render=False)


@pytest.mark.parametrize("door", EVERY)
def test_a_video_is_made_at_every_door(door: DoorName, tmp_path: Path) -> None:
    """Submitting, watching and saving are the same three steps with the same events, whatever the door."""

    async def main() -> None:
        async with sandbox_of() as sandbox:
            seen: list[str] = []
            async with Session(sandbox.settings_at(door), rng=Random(0)) as session:
                video = await session.generate(
                    EAGLE, into=tmp_path, on_event=lambda event: seen.append(type(event).__name__)
                )

            assert (video.snapshot.status, video.snapshot.model) == (Status.SUCCESS, "Veo3")
            assert video.path is not None
            assert video.path.read_bytes()[4:8] == b"ftyp"
            assert (seen[0], seen[-1], len(sandbox.charges)) == ("Progressed", "Succeeded", 1)
            assert "Missed" not in seen
            assert ours() == []

    run(main())


@pytest.mark.parametrize("here", EVERY)
@pytest.mark.parametrize("there", EVERY)
def test_what_is_submitted_at_one_door_is_seen_at_the_others(here: DoorName, there: DoorName) -> None:
    """It is one queue: an id from one door is a request at each."""

    async def main() -> None:
        async with sandbox_of() as sandbox:
            async with Session(sandbox.settings_at(here)) as session:
                accepted = await session.submit(EAGLE)
            async with Session(sandbox.settings_at(there)) as session:
                video = await session.resume(accepted.request_id)

            assert video.snapshot.request_id == accepted.request_id
            assert video.url is not None

    run(main())


@pytest.mark.parametrize("door", EVERY)
def test_a_failure_has_its_reason_at_every_door(door: DoorName) -> None:
    """A request that fails says why, wherever it is asked about."""

    async def main() -> None:
        failing = Behaviour(seconds=20, queued=5, fails="the prompt violates the policy")
        script = Script(models={"*": failing})
        async with sandbox_of(script) as sandbox, Session(sandbox.settings_at(door)) as session:
            with pytest.raises(errors.GenerationFailed, match="violates the policy"):
                await session.generate(EAGLE)

    run(main())


@pytest.mark.parametrize("door", EVERY)
@pytest.mark.parametrize(("model", "error"), [("veo3", errors.NotFound), ("Veo3", errors.InsufficientCredit)])
def test_a_refusal_is_the_same_error_at_every_door(
    door: DoorName, model: str, error: type[errors.ResponseError]
) -> None:
    """What the service refuses is definite and not charged, whatever the envelope."""

    async def main() -> None:
        async with sandbox_of(Script(balance=0)) as sandbox:
            settings = evolve(sandbox.settings_at(door), check="off")
            async with Session(settings) as session:
                with pytest.raises(error) as caught:
                    await session.submit(VideoRequest(model, {"prompt": "x"}))

            assert (caught.value.charged, sandbox.charges) == ("no", [])

    run(main())


@pytest.mark.parametrize("door", LISTING)
def test_a_lost_answer_is_found_in_the_list_where_there_is_one(door: DoorName) -> None:
    """With a list a lost submission is adopted, and paid for once."""

    async def main() -> None:
        script = Script(models={"*": SECONDS}, faults=Faults(nth={"submit": {1: "drop_after_accept"}}))
        async with sandbox_of(script) as sandbox, Session(sandbox.settings_at(door)) as session:
            snapshot = await session.submit(EAGLE)

            assert [charge.request_id for charge in sandbox.charges] == [snapshot.request_id]
            assert sandbox.count_calls("submit") == 1

    run(main())


def test_a_lost_answer_stays_uncertain_where_there_is_no_list() -> None:
    """The early page has no list: the error says so at once, and nothing is sent or asked again."""

    async def main() -> None:
        script = Script(models={"*": SECONDS}, faults=Faults(nth={"submit": {1: "drop_after_accept"}}))
        async with sandbox_of(script) as sandbox, Session(sandbox.settings_at("early")) as session:
            with pytest.raises(errors.SubmissionUncertain, match="this door has no list") as caught:
                await session.submit(EAGLE)

            assert "in the console before you do" in str(caught.value)
            assert caught.value.charged == "maybe"
            assert (len(sandbox.charges), sandbox.count_calls("submit", "list")) == (1, 1)
            undecided = await session.uncertain()
            found = await session.resolve(undecided[0], request_id=sandbox.charges[0].request_id)
            assert found is not None
            assert await session.uncertain() == ()

    run(main())


def test_who_does_not_want_it_looked_for_is_not_sent_to_a_list_that_is_not_there() -> None:
    """The error of `on_uncertain="raise"` names the place where requests can be seen at this door."""

    async def main() -> None:
        script = Script(models={"*": SECONDS}, faults=Faults(nth={"submit": {1: "drop_after_accept"}}))
        async with sandbox_of(script) as sandbox:
            settings = evolve(sandbox.settings_at("early"), on_uncertain="raise")
            async with Session(settings) as session:
                with pytest.raises(errors.SubmissionUncertain, match="in the console before you do"):
                    await session.submit(EAGLE)

    run(main())


def test_an_allowed_second_post_is_not_made_where_absence_cannot_be_seen() -> None:
    """Without a list nothing proves that the first POST came to nothing, so there is never a second one."""

    async def main() -> None:
        script = Script(models={"*": SECONDS}, faults=Faults(nth={"submit": {1: "drop_before_body"}}))
        async with sandbox_of(script) as sandbox:
            settings = evolve(sandbox.settings_at("early"), on_uncertain=Resubmit(at_most=5))
            async with Session(settings) as session:
                with pytest.raises(errors.SubmissionUncertain):
                    await session.submit(EAGLE)

            assert sandbox.count_calls("submit") == 1

    run(main())


def test_an_id_in_a_broken_answer_is_looked_at_without_a_list() -> None:
    """A cut answer of the early page that still names its request is adopted once a look has confirmed it."""

    async def main() -> None:
        script = Script(models={"*": SECONDS}, submissions=[Behaviour(cut=60)])
        async with sandbox_of(script) as sandbox, Session(sandbox.settings_at("early")) as session:
            snapshot = await session.submit(EAGLE)

            assert [charge.request_id for charge in sandbox.charges] == [snapshot.request_id]

    run(main())


def test_the_early_page_is_followed_by_looks_alone() -> None:
    """A fleet at the early page ends whole, without one call to a list, and asks one result of each."""

    async def main() -> None:
        async with sandbox_of() as sandbox:
            async with Session(sandbox.settings_at("early"), rng=Random(0)) as session:
                ids = [(await session.submit(EAGLE)).request_id for _ in range(120)]
            async with Session(sandbox.settings_at("early"), rng=Random(0)) as session:
                seen = await told(session.watch(ids))

            assert words(seen).count("Succeeded") == 120
            assert (sandbox.count_calls("list"), sandbox.count_calls("result")) == (0, 120)

    run(main())


def test_the_early_page_says_what_it_lacks() -> None:
    """Verbs that the page has no route for raise a sentence that names the doors that have one."""

    async def main() -> None:
        async with sandbox_of() as sandbox, Session(sandbox.settings_at("early")) as session:
            with pytest.raises(errors.ConfigurationError, match="describes no model; take the apikey"):
                await session.model("Veo3")
            with pytest.raises(errors.ConfigurationError, match="no list of requests; take the apikey"):
                await anext(aiter(session.requests()))
            with pytest.raises(errors.ConfigurationError, match="only a login has a profile"):
                await session.profile()
            with pytest.raises(errors.ConfigurationError, match="takes no uploads: give a public link"):
                await session.upload(PICTURE)
            assert "Veo3" in await session.models()
            assert sandbox.count_calls() == 1

    run(main())


@pytest.mark.parametrize("door", LISTING)
def test_a_file_goes_in_at_both_doors_of_the_queue(door: DoorName) -> None:
    """The place for a file is asked for where the queue is, and used without the credentials of either."""

    async def main() -> None:
        async with sandbox_of() as sandbox, Session(sandbox.settings_at(door)) as session:
            link = await session.upload(PICTURE)

            assert link.startswith("http://127.0.0.1")

    run(main())


def test_the_console_lists_whole_models() -> None:
    """One list of the console describes every model, so that none of them costs a call of its own."""

    async def main() -> None:
        async with sandbox_of() as sandbox, Session(sandbox.settings_at("console")) as session:
            ids = await session.models()
            models = [await session.model(name) for name in ids]

            assert [model.id for model in models] == list(ids)
            assert all(model.parameters for model in models)
            assert sandbox.count_calls("model") == 0

    run(main())


def test_only_the_list_of_whole_models_may_be_long() -> None:
    """Bare ids are kept to the size of an ordinary answer; an answer without end is cut where it is due."""
    assert [DOORS[door].models_call().cap for door in EVERY] == [
        BODY_CAP,
        LIST_CAP,
        BODY_CAP,
    ]


def test_the_session_says_which_door_it_took(caplog: pytest.LogCaptureFixture) -> None:
    """Opening a session logs the door and why it is this one."""
    caplog.set_level("INFO", "gmi_video")

    async def main() -> None:
        async with sandbox_of() as sandbox, Session(sandbox.settings_at("console")):
            pass

    run(main())

    assert "the console door, because Settings names it" in caplog.text
