"""What may have been meant by a name that is not known: another case, another family's word, a slip of a finger."""

import re
from collections.abc import Collection
from difflib import get_close_matches

_CLOSE = 0.6
_MOST = 3
_BUILD = re.compile(r"[-_]\d{6,8}$")
"""The date at the end of a model's id (wire: "-251015", "-260128"); such builds come and go."""

ROLES: tuple[frozenset[str], ...] = tuple(
    frozenset(re.sub(r"[^a-z0-9]", "", name.lower()) for name in names.split())
    for names in (
        """image image_url img_url img first_frame first_frame_image first_frame_img path_to_image images
        input_reference frame0_image start_image start_frame start_frame_image input_image first_image""",
        """image_tail last_frame last_frame_image last_frame_img lastFrame frame1_image end_image end_frame
        tail_image last_image""",
        "reference_image reference_images reference_image_urls ref_images image_list images",
        "reference_video reference_videos reference_video_urls video_list videos",
        "reference_audio reference_audios audio_url driving_audio audio_urls",
        "video video_url input_video source_video first_clip",
        "duration durationSeconds seconds video_length length duration_seconds video_duration",
        "aspect_ratio ratio aspectRatio",
        "resolution quality video_resolution size video_size dimension",
        "generate_audio generateAudio generate_audio_switch audio sound with_audio enable_audio",
        "prompt text text_prompt description content",
        "negative_prompt negativePrompt negative",
        "prompt_extend prompt_optimizer enhance_prompt prompt_extension enable_prompt_expansion",
        "seed seed_value random_seed",
        "cfg_scale guidance_scale cfg guidance",
        "camerafixed camera_fixed",
    )
)
"""Names that different families of models have for one thing, as the vendor's pages and its users spell them."""


def folded(name: str) -> str:
    """A name without what families do not agree on: case, hyphens, underscores."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def nearest_names(name: str, known: Collection[str]) -> tuple[str, ...]:
    """The parameters that `name` may stand for, the likeliest first: the same word, the same role, nearly the same."""
    plain = {folded(other): other for other in reversed(list(known))}
    found = [plain[folded(name)]] if folded(name) in plain else []
    roles = [role for role in ROLES if folded(name) in role]
    found += [other for role in roles for other in known if folded(other) in role]
    found += [plain[near] for near in get_close_matches(folded(name), plain, n=_MOST, cutoff=_CLOSE)]
    return tuple(dict.fromkeys(found))[:_MOST]


def nearest_ids(model_id: str, known: Collection[str]) -> tuple[str, ...]:
    """The models that `model_id` may stand for, the likeliest first.

    Ids are case-sensitive and rotate: another case comes first, then builds of the same name with a date, or
    with another one, the latest first, then what is spelt nearly so.
    """
    plain = {folded(other): other for other in reversed(list(known))}
    found = [plain[folded(model_id)]] if folded(model_id) in plain else []
    bare = folded(_BUILD.sub("", model_id))
    found += sorted((other for other in known if folded(_BUILD.sub("", other)) == bare), reverse=True)
    found += [plain[near] for near in get_close_matches(folded(model_id), plain, n=_MOST, cutoff=_CLOSE)]
    return tuple(other for other in dict.fromkeys(found) if other != model_id)[:_MOST]


def did_you_mean(names: Collection[str]) -> str:
    """`; did you mean …?`, or nothing where nothing is near."""
    return f"; did you mean {' or '.join(names)}?" if names else ""
