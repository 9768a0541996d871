"""The sandbox's doors, asked by the shell commands of the vendor's pages, host replaced, and by plain HTTP."""

import asyncio
import json
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from cli.terminal import serving

from gmi_video.sandbox import Sandbox
from gmi_video.sandbox.apikey import PREFIX
from gmi_video.sandbox.console import route as console_route
from gmi_video.sandbox.early import route as early_route
from gmi_video.testing import run

from .caller import Caller, calling

CURL = shutil.which("curl")
needs_curl = pytest.mark.skipif(CURL is None, reason="the command curl is not installed")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with serving() as sandbox:
        yield sandbox


def shell(command: str, sandbox: Sandbox, **variables: str) -> Any:
    """What a command of a page prints, its hosts replaced by the sandbox's, as JSON."""
    for host, here in (
        ("https://console.gmicloud.ai/api/v1/ie/requestqueue/apikey", sandbox.url),
        ("https://queue.gmi-serving.com/video", sandbox.early_url),
        ("https://api.gmi-serving.com/video", sandbox.catalog_url),
    ):
        command = command.replace(host, here)
    known = {"PATH": "/usr/bin:/bin", "GMI_API_KEY": sandbox.api_key, "GMI_ORG_ID": "org", **variables}
    done = subprocess.run(["sh", "-c", command], env=known, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


BASE = "https://console.gmicloud.ai/api/v1/ie/requestqueue/apikey"
BEARER = '--header "Authorization: Bearer $GMI_API_KEY"'
TYPED = '--header "Content-Type: application/json"'
SUBMIT = (
    f'curl --request POST --url "{BASE}/requests" {BEARER} {TYPED} --data \'{{"model": "Veo3", "payload": '
    '{"prompt": "a heron lands on a pond", "durationSeconds": "8", "aspectRatio": "16:9", "negativePrompt": '
    '"blurry", "personGeneration": "allow_adult", "seed": null}}\''
)


@needs_curl
def test_the_commands_for_models_are_answered_as_documented(sandbox: Sandbox) -> None:
    """Bare ids in the list, with an organisation named or not; the whole description for one model."""
    listed = shell(
        f'curl {BASE}/models -H "Authorization: Bearer $GMI_API_KEY" -H "X-Organization-ID: $GMI_ORG_ID"',
        sandbox,
    )
    model = shell(f'curl {BASE}/models/Veo3 -H "Authorization: Bearer $GMI_API_KEY"', sandbox)

    assert {"Veo3", "Veo3-Fast", "Luma-Ray2"} <= set(listed["model_ids"])
    assert list(listed) == ["model_ids"]
    assert (model["model"], model["org_id"]) == ("Veo3", "google")
    assert {"brief_description", "modalities", "parameters", "price_info"} <= set(model)


@needs_curl
def test_the_commands_for_a_request_are_answered_as_documented(sandbox: Sandbox) -> None:
    """The acceptance has six fields; polling until success yields an outcome with both links."""
    accepted = shell(SUBMIT, sandbox)
    look = f"curl --silent --request GET --url {BASE}/requests/$REQUEST_ID {BEARER}"
    record = until_done(look, sandbox, accepted["request_id"])

    assert set(accepted) == {"created_at", "model", "queued_at", "request_id", "status", "updated_at"}
    assert record["payload"]["prompt"] == "a heron lands on a pond"
    assert set(record["outcome"]) == {"thumbnail_image_url", "video_url"}


@needs_curl
def test_the_command_for_a_model_s_requests_is_answered_as_documented(sandbox: Sandbox) -> None:
    """A submission with parameters that are null is taken, and is in the list of its model."""
    accepted = shell(
        f'curl -X POST "{BASE}/requests" -H "Authorization: Bearer $GMI_API_KEY" -H "Content-Type: '
        'application/json" -d \'{"model": "wan2.6-i2v", "payload": {"prompt": "a slow pan", "img_url": '
        '"https://example.com/reference.jpg", "audio_url": null, "resolution": "1080P", "duration": 10}}\'',
        sandbox,
    )
    listed = shell(
        f'curl -X GET "{BASE}/requests?model_id=wan2.6-i2v" -H "Authorization: Bearer $GMI_API_KEY"', sandbox
    )

    assert accepted["request_id"] in [record["request_id"] for record in listed["requests"]]


@needs_curl
def test_the_commands_of_the_early_page_are_answered_as_documented(sandbox: Sandbox) -> None:
    """The list has its envelope; the payload as body gives an id; status and result are two calls."""
    listed = shell(
        'curl https://api.gmi-serving.com/video/models -H "Authorization: Bearer $GMI_API_KEY"', sandbox
    )
    key = '--header "Authorization: Key $GMI_API_KEY"'
    accepted = shell(
        f"curl --request POST --url https://queue.gmi-serving.com/video/Wan2_1 {key} {TYPED} "
        '--data \'{"prompt": "a ball is hit in slow motion", "image_url": "PUT YOUR IMAGE URL HERE"}\'',
        sandbox,
    )
    place = "https://queue.gmi-serving.com/video/requests/$REQUEST_ID"
    until_done(f"curl --request GET --url {place}/status {key}", sandbox, accepted["request_id"])
    result = shell(f"curl --request GET --url {place} {key}", sandbox, REQUEST_ID=accepted["request_id"])

    assert listed["object"] == "list"
    assert {"id", "object", "created", "owned_by"} == set(listed["data"][0])
    assert list(result) == ["video"]
    assert result["video"]["url"].endswith(".mp4")


def until_done(command: str, sandbox: Sandbox, request_id: str) -> Any:
    """What the command prints once the request has succeeded."""
    for _ in range(200):
        told = shell(command, sandbox, REQUEST_ID=request_id)
        if told["status"] == "success":
            return told
    raise AssertionError(told)


LOGIN = {"email": "ada@example.com", "password": "sandbox-password"}


async def console(caller: Caller, method: str, path: str, token: str = "", **body: Any) -> tuple[int, Any]:
    """A call as the vendor's SDK makes it."""
    url = caller.sandbox.console_url.removesuffix("/ie/requestqueue") + path
    headers = {"CE-ClientId": "gmisdk", **({"Authorization": f"Bearer {token}"} if token else {})}
    async with caller.http.request(method, url, headers=headers, json=body or None) as reply:
        assert reply.content_type == "application/json"
        return reply.status, json.loads(await reply.read())


def test_the_account_speaks_as_the_vendor_s_client_expects() -> None:
    """Ticket, session, profile and refresh have the SDK's fields; errors stand under `message`."""

    async def main() -> None:
        sandbox = Sandbox(render=False, one_time_code="123456")
        async with calling(sandbox) as caller:
            assert await console(caller, "POST", "/me/auth-tokens", email="x", password="y") == (
                401,
                {"message": "Invalid email or password"},
            )
            _, ticket = await console(caller, "POST", "/me/auth-tokens", **LOGIN)
            wanted = {"type": "native", "authToken": ticket["authToken"]}
            assert ticket["is2FARequired"] is True
            wrong, _ = await console(caller, "POST", "/me/sessions", **wanted, otpCode="000000")
            _, pair = await console(caller, "POST", "/me/sessions", **wanted, otpCode="123456")
            spent, _ = await console(caller, "POST", "/me/sessions", **wanted, otpCode="123456")
            assert (wrong, spent) == (400, 401)
            _, profile = await console(caller, "GET", "/me/profile", pair["accessToken"])
            assert (profile["user"]["email"], profile["organization"]["role"]) == (LOGIN["email"], "owner")
            renewed, fresh = await console(caller, "PATCH", "/me/sessions", refreshToken=pair["refreshToken"])
            again, _ = await console(caller, "PATCH", "/me/sessions", refreshToken=pair["refreshToken"])
            assert (renewed, again) == (200, 401)
            assert fresh["accessToken"] != pair["accessToken"]

    run(main())


def test_three_wrong_codes_void_a_ticket() -> None:
    """After them the right code is refused as well."""

    async def main() -> None:
        async with calling(Sandbox(render=False, one_time_code="7")) as caller:
            _, ticket = await console(caller, "POST", "/me/auth-tokens", **LOGIN)
            wanted = {"type": "native", "authToken": ticket["authToken"]}
            found = [(await console(caller, "POST", "/me/sessions", **wanted, otpCode=c))[0] for c in "1237"]

            assert found == [400, 400, 400, 401]

    run(main())


def test_an_access_token_ends_by_its_own_claim() -> None:
    """It is good for as long as was asked, for the account and for the queue, and an API key is no token."""

    async def main() -> None:
        async with calling(Sandbox(render=False, token_lasts=60)) as caller:
            _, ticket = await console(caller, "POST", "/me/auth-tokens", **LOGIN)
            _, pair = await console(
                caller, "POST", "/me/sessions", type="native", authToken=ticket["authToken"]
            )
            token = pair["accessToken"]
            models = "/ie/requestqueue/models"
            good, whole = await console(caller, "GET", models, token)
            await asyncio.sleep(61)
            dead, refusal = await console(caller, "GET", models, token)
            key, words = await console(caller, "GET", "/me/profile", "sandbox-key")

            assert (good, dead, key) == (200, 401, 401)
            assert {"model", "parameters", "price_info"} <= set(whole["models"][0])
            assert (list(refusal), words) == (["error"], {"message": "Invalid access token"})

    run(main())


def test_a_key_that_is_made_at_the_console_opens_the_other_doors() -> None:
    """It is told whole once, is good at the API-key door, and is listed by its end only."""

    async def main() -> None:
        async with calling(Sandbox(render=False)) as caller:
            _, ticket = await console(caller, "POST", "/me/auth-tokens", **LOGIN)
            _, pair = await console(
                caller, "POST", "/me/sessions", type="native", authToken=ticket["authToken"]
            )
            token = pair["accessToken"]
            _, profile = await console(caller, "GET", "/me/profile", token)
            place = f"/organizations/{profile['organization']['id']}/api-keys"
            _, made = await console(caller, "POST", place, token, name="mine", scope="ie_model", expiresAt=1)
            _, listed = await console(caller, "GET", place, token)
            elsewhere, _ = await console(caller, "GET", "/organizations/other/api-keys", token)

            assert (await caller.call("GET", "/models", key=made["key"])).status == 200
            assert made["key"] not in str(listed)
            assert [key["name"] for key in listed["keys"]] == ["mine"]
            assert elsewhere == 403

    run(main())


def test_an_early_result_is_refused_until_there_is_one() -> None:
    """Before the end, and after a failure, the result is an error in words."""

    async def main() -> None:
        async with calling(Sandbox(render=False)) as caller:
            headers = {"Authorization": "Key sandbox-key"}
            place = caller.sandbox.early_url
            async with caller.http.post(f"{place}/Veo3", json={"prompt": "x"}, headers=headers) as reply:
                request_id = json.loads(await reply.read())["request_id"]
            async with caller.http.get(f"{place}/requests/{request_id}", headers=headers) as reply:
                assert (reply.status, json.loads(await reply.read())["error"]) == (
                    400,
                    "request is still in progress",
                )
            async with caller.http.get(f"{place}/requests/{request_id}/status") as reply:
                assert reply.status == 401

    run(main())


@pytest.mark.parametrize(
    ("route", "method", "path", "status"),
    [
        (console_route, "GET", "/api/v1/me/sessions", 405),
        (console_route, "GET", "/api/v1/me/billing", 404),
        (console_route, "DELETE", "/api/v1/ie/requestqueue/requests/r", 405),
        (early_route, "GET", "/video/Veo3", 405),
        (early_route, "GET", "/video/requests", 404),
        (early_route, "GET", PREFIX + "/models", 404),
    ],
)
def test_a_door_refuses_what_it_does_not_have(route: Any, method: str, path: str, status: int) -> None:
    """An unknown path is a 404 and a wrong method a 405."""
    assert route(method, path).status == status
