import asyncio
from typing import Any
from urllib.parse import quote

import pytest

from gmi_video.sandbox import Behaviour, Sandbox, Script
from gmi_video.sandbox.answers import Answer
from gmi_video.sandbox.apikey import PREFIX, route
from gmi_video.testing import run

from .caller import EAGLE, Caller, calling


@pytest.mark.parametrize(
    ("method", "path", "operation"),
    [
        ("GET", "/models", ("models", "")),
        ("GET", "/models/Wan-AI%2FWan2.1", ("model", "Wan-AI/Wan2.1")),
        ("POST", "/requests", ("submit", "")),
        ("GET", "/requests", ("list", "")),
        ("GET", "/requests/abc", ("look", "abc")),
    ],
)
def test_five_operations_have_a_path(method: str, path: str, operation: tuple[str, str]) -> None:
    """The five operations of the door are found by method and path, ids decoded."""
    assert route(method, PREFIX + path) == operation


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("DELETE", "/requests/abc", 405),
        ("POST", "/requests/abc/cancel", 404),
        ("PUT", "/requests", 405),
        ("POST", "/models", 405),
        ("HEAD", "/models", 405),
        ("GET", "/", 404),
        ("GET", "/requests/", 404),
        ("GET", "/models/", 404),
        ("GET", "", 404),
        ("GET", "/upload-url", 405),
    ],
)
def test_other_paths_and_methods_are_refused_by_the_router(method: str, path: str, status: int) -> None:
    """An unknown path is a 404 and a wrong method a 405, in the router's plain words."""
    told = route(method, PREFIX + path)

    assert isinstance(told, Answer)
    assert (told.status, told.content_type) == (status, "text/plain; charset=utf-8")


def test_a_path_outside_the_door_is_not_found() -> None:
    """The chat endpoint's path, pasted by mistake, leads nowhere."""
    told = route("GET", "/v1/models")

    assert isinstance(told, Answer)
    assert told.status == 404


def test_the_walk_of_the_vendors_page() -> None:
    """Models, model, submission, looks until success, list: as the vendor's page walks it."""

    async def main() -> None:
        async with calling(Sandbox(render=False)) as caller:
            models = (await caller.get("/models")).json
            detail = (await caller.get("/models/Veo3")).json
            accepted = (await caller.submit()).json
            working = await caller.record(accepted["request_id"])
            await asyncio.sleep(3600)
            done = await caller.record(accepted["request_id"])
            listed = (await caller.get("/requests?model_id=Veo3&limit=5&offset=0")).json

            assert list(models) == ["model_ids"]
            assert "Veo3" in models["model_ids"]
            assert detail["model"] == "Veo3"
            assert accepted["status"] == "dispatched"
            assert (working["status"], working["outcome"], working["payload"]) == ("dispatched", None, EAGLE)
            assert done["status"] == "success"
            assert listed == {"requests": [done], "total": 1, "has_more": False}

    run(main())


def test_a_key_comes_before_everything() -> None:
    """Without the key every operation is a 401, even one on a model that does not exist."""

    async def main() -> None:
        async with calling(Sandbox(render=False)) as caller:
            for method, path in (
                ("GET", "/models"),
                ("GET", "/models/no"),
                ("GET", "/requests"),
                ("POST", "/requests"),
            ):
                for key in ("", "other", "sandbox-key ?"):
                    assert (await caller.call(method, path, key=key)).status == 401

    run(main())


def test_a_key_that_is_replaced_expires() -> None:
    """The key may be changed while the sandbox runs: the old one is refused from then on."""

    async def main() -> None:
        async with calling(Sandbox(render=False)) as caller:
            caller.sandbox.api_key = "next"

            assert (await caller.get("/models")).status == 401
            assert (await caller.call("GET", "/models", key="next")).status == 200

    run(main())


def test_a_key_expires_in_the_middle_of_a_run() -> None:
    """From the scripted call on, every call is a 401."""

    async def main() -> None:
        async with calling(Sandbox(Script(unauthorized_from=3), render=False)) as caller:
            assert [(await caller.get("/models")).status for _ in range(4)] == [200, 200, 401, 401]

    run(main())


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"{", "invalid request body"),
        (b"[]", "invalid request body"),
        (b"", "invalid request body"),
        (b'{"model":"Veo3","payload":{"seed":NaN}}', "invalid request body"),
        (b'{"model":"Veo3","payload":' + b"[" * 100_000, "invalid request body"),
        (b'{"payload":{}}', "model is required"),
        (b'{"model":"","payload":{}}', "model is required"),
        (b'{"model":["Veo3"],"payload":{}}', "model is required"),
        (b'{"model":"Veo3","payload":[]}', "payload must be an object"),
        (b'{"model":"Veo3"}', "invalid payload parameters: prompt (Required parameter is missing)"),
    ],
)
def test_a_body_that_is_no_submission_is_a_400(body: bytes, text: str) -> None:
    """What cannot be read as a submission is refused in words, and nothing is charged."""

    async def main() -> None:
        async with calling(Sandbox(render=False)) as caller:
            reply = await caller.call("POST", "/requests", data=body)

            assert (reply.status, reply.error) == (400, text)
            assert caller.sandbox.charges == []

    run(main())


@pytest.mark.parametrize("query", ["limit=x", "limit=-1", "offset=1.5", "limit=99999999999"])
def test_a_page_that_is_no_number_is_a_400(query: str) -> None:
    """A limit or offset that is not a plain number is refused by name."""

    async def main() -> None:
        async with calling(Sandbox(render=False)) as caller:
            reply = await caller.get(f"/requests?{query}")

            assert (reply.status, reply.error) == (400, f"invalid query parameter: {query.partition('=')[0]}")

    run(main())


def test_what_is_unknown_is_a_404_in_the_services_words() -> None:
    """An unknown model and an unknown request are told apart by their texts."""

    async def main() -> None:
        async with calling(Sandbox(render=False)) as caller:
            model = await caller.get(f"/models/{quote('Wan-AI/x', safe='')}")
            request = await caller.get("/requests/5a7a5466")

            assert (model.status, model.error) == (404, "model Wan-AI/x does not exist")
            assert (request.status, request.error) == (404, "Request not found")

    run(main())


def test_text_comes_back_as_it_was_sent() -> None:
    """Any Unicode text survives the echo, and a lone surrogate does not hurt the server."""

    async def main() -> None:
        async with calling(Sandbox(render=False)) as caller:
            one = (
                await caller.submit(payload={"prompt": "猫 \U0001f431 é", "unknown": {"b": 1, "a": [None]}})
            ).json
            two = (await caller.submit(payload={"prompt": "\ud800"})).json

            assert (await caller.record(one["request_id"]))["payload"] == {
                "prompt": "猫 \U0001f431 é",
                "unknown": {"a": [None], "b": 1},
            }
            assert (await caller.record(two["request_id"]))["payload"] == {"prompt": "?"}

    run(main())


def test_a_synchronous_model_blocks_its_post() -> None:
    """The POST comes back with the finished record after the seconds of the work."""

    async def main() -> None:
        async with calling(Sandbox(render=False)) as caller:
            began = caller.sandbox.now()
            told = (await caller.submit("seedream-5.0-lite")).json

            assert 10 <= caller.sandbox.now() - began <= 150
            assert told["status"] == "success"
            assert told["outcome"]["media_urls"][0]["url"].endswith(".jpeg")
            assert list(told) == sorted(told)

    run(main())


def test_a_late_post_has_its_record_at_once() -> None:
    """While a late POST blocks, the list already shows the request, and it is charged."""

    async def main() -> None:
        late = Script(submissions=(Behaviour(answers_after=60, queued=500),))
        async with calling(Sandbox(late, render=False)) as caller:
            listed, reply = await in_turn(caller)

            assert listed["total"] == len(caller.sandbox.charges) == 1
            assert reply["request_id"] == listed["requests"][0]["request_id"]
            assert reply["status"] == "dispatched"

    async def in_turn(caller: Caller) -> tuple[Any, Any]:
        post = asyncio.create_task(caller.submit())
        await asyncio.sleep(30)
        listed = (await caller.get("/requests")).json
        assert not post.done()
        return listed, (await post).json

    run(main())
