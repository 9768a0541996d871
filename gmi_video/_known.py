"""What the vendor's pages and its users know of models beyond the live schema, each with its source.

Pages rot, and the schema of the day does not: a rule only speaks of parameters that the live schema names, and
where that schema says nothing itself; and what a rule finds is never called certain.
"""

from gmi_video._rules import (
    ABSENT,
    GIVEN,
    Behind,
    Between,
    Clip,
    Known,
    LinkOnly,
    Longest,
    Several,
    Sides,
    Together,
    Total,
    none_of,
    one_of,
)

_FRAMES = ("first_frame_image", "last_frame_image")
_REFERENCES = ("reference_images", "reference_videos", "reference_audios")
_TO_31_BITS = Between(0, 2_147_483_647, ("seed",))
_TO_32_BITS = Between(0, 4_294_967_295, ("seed",))
_NO_FRAME = {"reference_image": GIVEN, "image": ABSENT, "lastFrame": ABSENT}

KNOWN = (
    Known(
        "veo-3.1-*",
        "the vendor's pages of veo-3.1",
        (
            Longest(2000, ("prompt",)),
            Longest(500, ("negativePrompt",)),
            Longest(3, ("reference_image",)),
            Several(("reference_image",)),
            Together(
                "reference_image",
                "reference images need durationSeconds 8",
                {"durationSeconds": none_of(8), **_NO_FRAME},
            ),
            Together(
                "reference_image",
                "reference images need aspectRatio 16:9",
                {"aspectRatio": none_of("16:9"), **_NO_FRAME},
            ),
        ),
    ),
    Known("sora-2*", "the vendor's page of sora-2-pro", (Longest(2000, ("prompt",)),)),
    Known(
        "Minimax-Hailuo-2.3*",
        "the vendor's pages of Hailuo 2.3",
        (
            Longest(2000, ("prompt",)),
            Together(
                "duration",
                "10 seconds cannot be had at 1080P, only at 512P and 768P",
                {"duration": one_of(10), "resolution": one_of("1080P")},
            ),
            Together(
                "first_frame_image",
                "512P needs a first_frame_image",
                {"resolution": one_of("512P"), "first_frame_image": ABSENT},
            ),
        ),
    ),
    Known(
        "MiniMax-H3",
        "the vendor's page of MiniMax-H3",
        (
            Longest(7000, ("prompt",)),
            Longest(9, ("reference_images",)),
            Longest(3, ("reference_videos", "reference_audios")),
            Total(12, _REFERENCES),
            *(
                Together(
                    reference, f"{reference} and {frame} exclude each other", {frame: GIVEN, reference: GIVEN}
                )
                for frame in _FRAMES
                for reference in _REFERENCES
            ),
            Together(
                "reference_audios",
                "reference_audios needs a picture or a video beside it",
                {"reference_audios": GIVEN, "reference_images": ABSENT, "reference_videos": ABSENT},
            ),
            Together(
                "ratio",
                "a video from text alone has nothing to adapt to: name a ratio",
                {"ratio": one_of("adaptive"), **dict.fromkeys((*_FRAMES, *_REFERENCES[:2]), ABSENT)},
            ),
        ),
    ),
    Known("pixverse-*", "the vendor's pages of PixVerse", (_TO_31_BITS,)),
    Known(
        "pixverse-v5*",
        "the vendor's pages of PixVerse 5.5 and 5.6",
        (
            Together(
                "duration",
                "10 seconds cannot be had at 1080p",
                {"duration": one_of(10), "quality": one_of("1080p")},
            ),
        ),
    ),
    Known("pixverse-v5*-transition", "the vendor's page of its transitions", (Longest(2048, ("prompt",)),)),
    Known("pixverse-v6-*", "the vendor's page of pixverse-v6-i2v", (Longest(5000, ("prompt",)),)),
    Known(
        "[Kk]ling-*",
        "the vendor's pages of Kling 1.6 to 3.0",
        (Longest(2500, ("prompt", "negative_prompt")), Between(0, 1, ("cfg_scale",))),
    ),
    Known(
        "[Kk]ling-*",
        "the vendor's page of kling-v2-6; its users saw 'Image pixel is invalid'",
        (Sides(("image", "image_tail", "image_list"), low=300, ratio=2.5),),
    ),
    Known(
        "kling-v3-omni",
        "the vendor's page of kling-v3-omni",
        (
            Together(
                "prompt",
                "a prompt is needed unless multi_shot is true",
                {"prompt": ABSENT, "multi_shot": none_of(True)},  # noqa: FBT003  # a value of the payload
            ),
        ),
    ),
    Known(
        "kling-3-motion-control",
        "the vendor's page of kling-3-motion-control",
        (Sides(("image_url",)), Clip(("video_url",), 3, 30, megabytes=100)),
    ),
    Known(
        "wan2.6-[it]2v",
        "the vendor's pages of wan2.6",
        (Clip(("audio_url",), 3, 30, megabytes=15),),
    ),
    Known(
        "wan2.[67]-*",
        "the vendor's pages of wan2.6 and wan2.7",
        (Longest(1500, ("prompt",)), Longest(500, ("negative_prompt",)), _TO_31_BITS),
    ),
    Known(
        "wan2.*",
        "users of wan2.7-t2v: 'seed must be in [0,2147483647]'",
        (Behind(("seed",), "the queue accepts it, and the request fails a second later"),),
    ),
    Known(
        "wan2.6-i2v",
        "the vendor's page of wan2.6-i2v",
        (
            Sides(("img_url",), low=360, high=2000),
            Together(
                "shot_type",
                "several shots are made only where prompt_extend is true; shot_type is ignored",
                {"shot_type": one_of("multi"), "prompt_extend": one_of(False)},  # noqa: FBT003  # as above
            ),
        ),
    ),
    Known("wan2.6-r2v", "the vendor's page of wan2.6-r2v", (Longest(3, ("reference_video_urls",)),)),
    Known(
        "wan2.7-i2v",
        "the vendor's page of wan2.7-i2v",
        (Sides(("first_frame", "last_frame"), low=360, high=2000),),
    ),
    Known(
        "wan2.7-r2v",
        "the vendor's page of wan2.7-r2v",
        (Total(5, ("reference_image", "reference_video")),),
    ),
    Known(
        "wan3.0-*",
        "users of wan3.0-video",
        (
            Longest(5000, ("prompt",)),
            Longest(500, ("negative_prompt",)),
            Longest(10, ("reference_image",)),
            Longest(5, ("reference_video", "audio_url")),
            _TO_31_BITS,
            LinkOnly(),
            Several(
                ("first_frame", "last_frame", "reference_image", "reference_video", "audio_url"), only=True
            ),
        ),
    ),
    Known(
        "seedance-2-*",
        "the vendor's page of seedance-2-0",
        (
            Longest(9, ("reference_images",)),
            Longest(3, ("reference_videos", "reference_audios")),
            _TO_32_BITS,
        ),
    ),
    Known(
        "seedance-*",
        "users of seedance: base64 is refused, a list is answered 500 'Backend error (403)'",
        (
            LinkOnly(),
            Behind(
                ("first_frame", "last_frame"), "the queue lets it through, the model may not use it", list
            ),
            Together(
                "prompt",
                "without a prompt it is accepted and fails: 'content must include at least one text item'",
                {"prompt": ABSENT},
            ),
        ),
    ),
    Known(
        "seedance-2-5-*",
        "users of seedance-2-5-260628",
        (
            Together(
                "resolution",
                "1080p had no price when it was last seen, and was refused: 'price not found'",
                {"resolution": one_of("1080p")},
            ),
        ),
    ),
    Known("vidu-*", "the vendor's pages of Vidu", (Longest(2000, ("prompt",)),)),
    Known(
        "vidu-*-r2v",
        "the vendor's page of vidu-q2-pro-r2v",
        (Longest(7, ("images",)), Longest(2, ("videos",)), Several(("images", "videos"))),
    ),
)
