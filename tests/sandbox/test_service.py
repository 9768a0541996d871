from collections.abc import Mapping
from random import Random
from typing import Any

import pytest

from gmi_video.sandbox import Behaviour, Script
from gmi_video.sandbox.answers import Answer, RefusedError
from gmi_video.sandbox.behaviour import SILENT
from gmi_video.sandbox.script import Reading
from gmi_video.sandbox.service import Accepted, Service

EAGLE = {"prompt": "An eagle"}
NOW = 1_000_000.0


def a_service(script: Script | None = None, **models: Behaviour) -> Service:
    """A service of a fixed seed."""
    return Service(Reading(script or Script(models=models)), Random(0), media_url="http://media")


def submit(
    service: Service, model: str = "Veo3", payload: Mapping[str, Any] = EAGLE, now: float = NOW
) -> Accepted:
    """A submission that is accepted."""
    return service.submit(now, model, payload, SILENT)


def refused(
    service: Service, model: str = "Veo3", payload: Mapping[str, Any] = EAGLE, now: float = NOW
) -> Answer:
    """What a submission that is not accepted is told."""
    with pytest.raises(RefusedError) as caught:
        service.submit(now, model, payload, SILENT)
    return caught.value.answer


def record(service: Service, accepted: Accepted, now: float = NOW + 1e6) -> dict[str, Any]:
    """A request's record, at its end unless told."""
    return service.queue.record(accepted.request, now)


def test_checks_stand_in_the_order_of_the_service() -> None:
    """Model, payload, access, credit, rate, backend: each check answers before the next one looks."""
    gated = Behaviour(not_entitled=404, rpm=0, backend_error=400)
    broke = Script(models={"*": gated}, balance=0)
    said = [
        refused(a_service(broke), "veo3", {}).body,
        refused(a_service(broke), "Veo3", {}).body,
        refused(a_service(broke)).body,
        refused(a_service(Script(models={"*": Behaviour(rpm=0, backend_error=400)}, balance=0))).body,
        refused(a_service(Script(models={"*": Behaviour(rpm=1, backend_error=400)}))).body,
    ]

    assert said == [
        b'{"error":"model veo3 does not exist"}',
        b'{"error":"invalid payload parameters: prompt (Required parameter is missing)"}',
        b'{"error":"you do not have access to model Veo3"}',
        b'{"error":"Insufficient credits. Please add more credits to your account."}',
        b'{"error":"Backend error (400). Please try again."}',
    ]


def test_an_accepted_submission_is_charged_once_at_its_price() -> None:
    """Each acceptance is one row with id, model, payload, time and price; a refusal is none."""
    service = a_service()
    accepted = submit(service)
    refused(service, "Veo3", {})

    (charge,) = service.charges
    assert (charge.request_id, charge.model, charge.at) == (accepted.request.request_id, "Veo3", NOW)
    assert (charge.payload, charge.price) == (EAGLE, 8 * 400_000)


@pytest.mark.parametrize(
    ("model", "payload", "price"),
    [
        ("seedance-2-0-260128", {"resolution": "480p", "duration": 4}, 4 * 70_000),
        ("seedance-2-0-260128", {}, 5 * 152_000),
        ("kling-v3-text-to-video", {"sound": "on", "duration": "3"}, 3 * 252_000),
        ("seedance-1-0-pro-fast-251015", {"duration": 12}, 22_000),
        ("seedream-5.0-lite", {}, 35_000),
    ],
)
def test_a_price_follows_what_was_asked_for(model: str, payload: dict[str, Any], price: int) -> None:
    """A price is per second, per clip or per image, and by resolution or sound where the model says so."""
    service = a_service()
    submit(service, model, {"prompt": "x", **payload})

    assert service.charges[0].price == price


def test_credit_is_spent_and_comes_back_for_what_fails() -> None:
    """Credit goes with each acceptance; a failed request gives its price back when it fails."""
    script = Script(models={"Veo3": Behaviour(fails="no", seconds=10)}, balance=7_000_000)
    service = a_service(script)
    submit(service)
    submit(service)

    assert refused(service).status == 402
    submit(service, "seedream-5.0-lite")
    assert service.account.credit(NOW + 9) == 565_000
    assert service.account.credit(NOW + 10) == 6_965_000


def test_a_refusal_behind_the_queue_leaves_a_failed_record() -> None:
    """A 500 tells no id and no reason, and charges nothing; the list has the failed record with both."""
    service = a_service(Veo3=Behaviour.backend_refusal(403, "no access upstream"))

    assert refused(service) == Answer.refusal(500, "Backend error (403). Please try again.")
    (request,) = service.page(NOW, model="Veo3", limit=10, offset=0).requests
    told = service.queue.record(request, NOW)
    assert (told["status"], told["outcome"]) == ("failed", {"error": "no access upstream"})
    assert told["created_at"] == told["updated_at"]
    assert service.look(NOW, request.request_id) is request
    assert service.charges == []


def test_a_refusal_behind_the_queue_has_a_reason_of_its_own() -> None:
    """Where the script gives no reason, the service's usual sentence stands in the record."""
    service = a_service(Veo3=Behaviour(backend_error=400))
    refused(service)

    (request,) = service.queue
    assert "review the prompt" in str(service.queue.record(request, NOW)["outcome"])


def test_a_rate_limit_is_a_429_with_the_body_of_production() -> None:
    """Beyond the limit the exact body comes back, and the model is free again when the window has moved."""
    service = a_service(Veo3=Behaviour(rpm=2))
    submit(service)
    submit(service, now=NOW + 30.03)

    assert refused(service, now=NOW + 30.03).body == (
        b'{"error":"Rate limit exceeded for model Veo3: 2 requests per 60 seconds. Retry in 29970 ms.",'
        b'"rate_limit":{"limit_type":"RPM","limit":2,"interval_seconds":60,"retry_after_ms":29970}}'
    )
    assert refused(service, now=NOW + 59).headers == ()
    submit(service, now=NOW + 60)


def test_a_retry_after_header_is_sent_only_where_the_script_says() -> None:
    """The header, which nobody has confirmed, holds whole seconds that are never too few."""
    service = a_service(Veo3=Behaviour(rpm=1, retry_after_header=True, rpm_seconds=20))
    submit(service)

    assert refused(service, now=NOW + 0.5).headers == (("Retry-After", "20"),)


def test_a_rate_limit_may_be_a_request_that_fails() -> None:
    """The limit's other face: accepted, then failed about a second later with RPM in the text."""
    service = a_service(Veo3=Behaviour(rpm=1, rpm_as="failure"))
    submit(service)
    second = submit(service)

    told = record(service, second, NOW + 1)
    assert told["status"] == "failed"
    assert "rate limit exceeded(RPM)" in told["outcome"]["error"]


def test_a_seed_out_of_range_is_accepted_by_wan_and_fails_a_second_later() -> None:
    """Wan's queue takes any seed; the model refuses it after about a second."""
    service = a_service()
    accepted = submit(service, "wan2.7-t2v", {"prompt": "x", "seed": 2**31})

    assert record(service, accepted, NOW + 0.9)["status"] != "failed"
    assert record(service, accepted, NOW + 1)["outcome"] == {
        "error": "seed must be in [0,2147483647] (code: InvalidParameter)"
    }


def test_seedance_takes_an_empty_prompt_and_fails_with_an_object() -> None:
    """Seedance accepts no prompt at all and fails with its reason in an error object."""
    service = a_service()
    accepted = submit(service, "seedance-2-0-260128", {})

    assert record(service, accepted)["outcome"]["error"]["message"] == (
        "content must include at least one text item"
    )


def test_seedance_refuses_a_frame_in_an_array_behind_the_queue() -> None:
    """A first frame given as an array is a backend 403, seen as a 500."""
    payload = {"prompt": "x", "first_frame": ["https://x/y.png"]}

    assert refused(a_service(), "seedance-2-0-260128", payload).body == (
        b'{"error":"Backend error (403). Please try again."}'
    )


def test_an_answer_of_a_model_comes_after_the_checks() -> None:
    """503 of one model: a wrong payload is still told what is wrong, the catalog still answers."""
    service = a_service(Veo3=Behaviour.no_capacity())

    assert refused(service, "Veo3", {}).status == 400
    assert refused(service).status == 503
    assert service.model("Veo3")["model"] == "Veo3"
    assert service.charges == []


def test_a_price_that_is_not_to_be_found_refuses_the_request() -> None:
    """A combination without a price is refused when the request is made."""
    service = a_service()

    assert refused(service, "seedance-2-5-260628", {"prompt": "x", "resolution": "1080p"}) == Answer.refusal(
        400, "price not found"
    )
    submit(service, "seedance-2-5-260628", {"prompt": "x", "resolution": "720p"})


def test_a_synchronous_model_answers_the_finished_record() -> None:
    """The answer of a synchronous model comes when the work is done and is the full record, keys sorted."""
    service = a_service()
    accepted = submit(service, "seedream-5.0-lite")
    told = service.answer(accepted, accepted.answers_at)

    assert 10 <= accepted.answers_at - NOW <= 150
    body = bytes(told.body).decode()
    assert '"status":"success"' in body
    assert '"outcome":{"media_urls":[{"id":"0","url":"http://media/gmi-video-assests-prod/' in body
    assert body.index("created_at") < body.index("is_public") < body.index("org_id") < body.index("user_id")


def test_a_synchronous_model_that_fails_answers_400_with_the_id() -> None:
    """A synchronous failure is a 400 with the reason and the id, and the record stays failed."""
    service = a_service(Script(models={"seedream-5.0-lite": Behaviour(fails="no")}))
    accepted = submit(service, "seedream-5.0-lite")
    request_id = accepted.request.request_id

    assert service.answer(accepted, accepted.answers_at) == Answer.of(
        {"error": "no", "request_id": request_id}, 400
    )
    assert record(service, accepted)["status"] == "failed"


def test_a_cancelled_request_has_no_outcome() -> None:
    """A request cancelled in the console ends so, without an outcome."""
    service = a_service(Veo3=Behaviour(cancelled=True))
    told = record(service, submit(service))

    assert (told["status"], told["outcome"]) == ("cancelled", None)


def test_a_failure_may_speak_at_the_top_of_its_record() -> None:
    """A reason at the top of the record stands beside a null outcome."""
    service = a_service(Veo3=Behaviour(fails="no", failure="reason"))
    told = record(service, submit(service))

    assert (told["outcome"], told["reason"]) == (None, "no")


def test_artifacts_lie_where_the_real_bucket_has_them() -> None:
    """A link has the shape of the real bucket's, and there is an object behind it once the request is done."""
    service = a_service()
    accepted = submit(service, "wan2.6-t2v")
    end = accepted.request.created + accepted.request.life.ends_after
    link = str(record(service, accepted)["outcome"]["video_url"])
    owner = f"{service.queue.org_id}/{service.queue.user_id}"
    name = link.removeprefix(
        f"http://media/gmi-video-assests-prod/user-assets/{owner}/gmi-videogen/generated/"
    )

    assert name == f"wan2.6-t2v_{accepted.request.request_id}.mp4"
    film = service.artifact(end, name)
    assert film is not None
    assert (film.clip.kind, film.clip.width, film.clip.seconds) == ("video", 1920, 5)
    assert service.artifact(end - 1, name) is None
    thumbnail = service.artifact(end, name.replace(".mp4", "_thumbnail.jpg"))
    assert thumbnail is not None
    assert (thumbnail.clip.kind, thumbnail.clip.width) == ("image", 1920)


@pytest.mark.parametrize(
    "name", ["", "x", "x.mp4", "wan_{}.mp4", "wan2.6-t2v_{}.mov", "wan2.6-t2v_{}_thumbnail.png"]
)
def test_no_object_lies_under_another_name(name: str) -> None:
    """Only the names that outcomes give lead to an object."""
    service = a_service()
    accepted = submit(service, "wan2.6-t2v")

    assert service.artifact(NOW + 1e6, name.format(accepted.request.request_id)) is None


def test_a_failed_request_has_no_object() -> None:
    """What failed left nothing in the bucket."""
    service = a_service(Veo3=Behaviour(fails="no"))
    accepted = submit(service)

    assert service.artifact(NOW + 1e6, f"Veo3_{accepted.request.request_id}.mp4") is None


def test_links_may_name_another_origin() -> None:
    """A client that takes nothing but https can be given such links."""
    service = a_service(Script(links="https://storage.googleapis.com"))

    assert record(service, submit(service))["outcome"]["video_url"].startswith(
        "https://storage.googleapis.com/gmi-video-assests-prod/"
    )


def test_a_page_is_never_longer_than_the_service_allows() -> None:
    """A limit beyond the longest page is cut down to it."""
    service = a_service(Script(longest_page=3))
    for _ in range(5):
        submit(service)

    page = service.page(NOW, model="", limit=100, offset=0)
    assert (len(page.requests), page.total, page.has_more) == (3, 5, True)


def test_equal_seeds_make_equal_runs() -> None:
    """The same seed and the same submissions give the same ids, durations and records."""

    def play() -> list[dict[str, Any]]:
        service = a_service(Luma=Behaviour())
        return [record(service, submit(service, model)) for model in ("Veo3", "Luma-Ray2", "Veo3")]

    assert play() == play()
