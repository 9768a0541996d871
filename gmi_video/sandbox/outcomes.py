"""Outcomes and failures in every shape a record has been seen, or is feared, to carry. Pure."""

from collections.abc import Callable, Mapping
from typing import assert_never

from gmi_video.sandbox.behaviour import Behaviour, OutcomeShape
from gmi_video.sandbox.clips import Kind

Json = Mapping[str, object]

DEFAULT_CODE = "InvalidParameter"
EXTENSIONS: Mapping[Kind, str] = {"video": "mp4", "image": "jpeg", "audio": "wav"}


def kind_of(behaviour: Behaviour, modality: str) -> Kind:
    """What kind of media a request yields: the model's modality, unless the outcome's shape says otherwise."""
    match behaviour.outcome:
        case "audio_url":
            return "audio"
        case "image_url":
            return "image"
        case _:
            return "image" if modality == "image" else "video"


def success(behaviour: Behaviour, kind: Kind, link_to: Callable[[str], str]) -> Json:
    """The outcome of a finished request; `link_to` gives the URL of its artifact with this ending."""
    link = link_to(f".{EXTENSIONS[kind]}")
    told = _links(behaviour.outcome or "video_url", link)
    if not told or kind == "audio":
        return told
    match behaviour.thumbnail or "image":
        case "image":
            return {**told, "thumbnail_image_url": link_to("_thumbnail.jpg")}
        case "video":
            return {"thumbnail_image_url": link, **told}
        case "none":
            return told
        case never:
            assert_never(never)


def _links(shape: OutcomeShape, link: str) -> dict[str, object]:
    match shape:
        case "video_url" | "image_url":
            return {shape: link}
        case "media_urls":
            return {"media_urls": [{"id": "0", "url": link}]}
        case "media_strings":
            return {"media_urls": [link]}
        case "both":
            return {"media_urls": [{"id": "0", "url": link}], "video_url": link}
        case "audio_url":
            return {"audio_url": link, "format": "wav", "status": "success"}
        case "empty":
            return {}
        case never:
            assert_never(never)


def failure(behaviour: Behaviour) -> tuple[object, Json]:
    """The outcome of a failed request, and what stands at the top of its record."""
    text = behaviour.fails or ""
    place = behaviour.failure or "outcome.error"
    match place:
        case "outcome.error":
            return {"error": text}, {}
        case "outcome.error.object":
            told = {"code": behaviour.code or DEFAULT_CODE, "message": text, "status": "INVALID_INPUT"}
            return {"error": told}, {}
        case "outcome.message" | "outcome.error_message" | "outcome.fail_reason":
            return {place.removeprefix("outcome."): text}, {}
        case "error" | "error_message" | "reason":
            return None, {place: text}
        case "nowhere":
            return None, {}
        case never:
            assert_never(never)
