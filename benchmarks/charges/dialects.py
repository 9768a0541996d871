"""What each peer's service says: the answer to a submission, and to the few other calls that a client makes."""

import base64
import json
from collections.abc import Callable, Mapping
from typing import Any

from attrs import frozen

Answer = Mapping[str, Any]
_BORN = "2026-01-01T00:00:00Z"
_UNIX = 1_767_225_600


def _token(**claims: object) -> str:
    """A token in the shape of a JWT, which nobody verifies."""
    parts = [json.dumps(part).encode() for part in ({"alg": "HS256"}, claims)]
    return ".".join([*(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts), "c2ln"])


def _nothing(_path: str) -> Answer:
    return {}


@frozen(kw_only=True)
class Dialect:
    """How one service speaks: which POSTs submit, what it answers to them and to all else, and its gateway's name."""

    submits: str
    accepted: Callable[[str, str], Answer]
    other: Callable[[str], Answer] = _nothing
    gateway: str = ""


def _fal(name: str, url: str) -> Answer:
    here = f"{url}/requests/{name}"
    return {"request_id": name, "response_url": here, "status_url": here, "cancel_url": here}


def _replicate(name: str, url: str) -> Answer:
    empty = dict.fromkeys(("output", "logs", "error", "metrics", "started_at", "completed_at"))
    here = {"get": f"{url}/v1/predictions/{name}", "cancel": f"{url}/v1/predictions/{name}/cancel"}
    known = {"id": name, "model": "owner/video", "version": "1", "status": "starting", "input": {}}
    return {**empty, **known, "created_at": _BORN, "urls": here}


def _gmi(name: str, _url: str) -> Answer:
    times = dict.fromkeys(("created_at", "updated_at", "queued_at"), _UNIX)
    return {"request_id": name, "model": "Veo3", "status": "queued", **times}


def _account(path: str) -> Answer:
    """The console's login, without a second factor."""
    if path.endswith("/me/auth-tokens"):
        return {"authToken": "a-token", "is2FARequired": False}
    if path.endswith("/me/sessions"):
        return {"accessToken": _token(userId="u-1"), "refreshToken": _token(exp=4_102_444_800)}
    user = {"id": "u-1", "email": "a@example.com", "firstName": "A", "lastName": "B"}
    return {"user": user, "organization": {"id": "o-1", "role": "owner"}}


def _wavespeed(path: str) -> Answer:
    name = path.split("/")[-2] if path.endswith("/result") else ""
    return {"data": {"status": "completed", "outputs": [f"https://storage.example.com/{name}.mp4"]}}


DIALECTS: Mapping[str, Dialect] = {
    # fal-client knows its own gateway by that word, and repeats no other's 502
    "fal-client": Dialect(submits="/fal-ai/veo3", accepted=_fal, gateway="nginx"),
    "runwayml": Dialect(
        submits="/v1/text_to_video",
        accepted=lambda name, _: {"id": name, "estimatedCost": {"credits": 40.0}},
    ),
    "lumaai": Dialect(
        submits="/generations/video",
        accepted=lambda name, _: {"id": name, "state": "queued", "created_at": _BORN},
    ),
    "replicate": Dialect(submits="/v1/predictions", accepted=_replicate),
    "wavespeed": Dialect(
        submits="/api/v3/google/veo3",
        accepted=lambda name, _: {"code": 200, "message": "success", "data": {"id": name}},
        other=_wavespeed,
    ),
    "gmicloud": Dialect(submits="/ie/requestqueue/requests", accepted=_gmi, other=_account),
    "genblaze-gmicloud": Dialect(submits="/apikey/requests", accepted=_gmi),
}
