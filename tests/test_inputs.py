"""Files of this machine as inputs: looked at, held against a model's limits, and written into a payload."""

import base64
import os
import pickle
from pathlib import Path
from typing import Any

import pytest
from cargo import large, picture, placed
from test_file_type import clip, sound

from gmi_video import Inline, LocalFile, Model, Parameter, data_uri, errors
from gmi_video.inputs import examined, files_in


def model(name: str, **types: str) -> Model:
    """A model with parameters of these types."""
    return Model(id=name, parameters=tuple(Parameter(name=key, type=kind) for key, kind in types.items()))


def said(model: Model, payload: dict[str, Any]) -> list[str]:
    """What the model has against a payload whose files were looked at."""
    problems = model.check(examined(payload))
    assert not any(problem.certain for problem in problems)
    return [problem.sentence for problem in problems]


@pytest.mark.parametrize(
    ("name", "body", "content_type"),
    [
        ("a.jpg", picture(), "image/jpeg"),
        ("a.png", picture(form="PNG"), "image/png"),
        ("a.webp", picture(form="WEBP"), "image/webp"),
        ("a.wav", sound(1), "audio/wav"),
    ],
)
def test_a_data_uri_holds_the_file(name: str, body: bytes, content_type: str, tmp_path: Path) -> None:
    """The whole file in base64, under the type that its bytes show."""
    uri = data_uri(placed(tmp_path, name, body))

    head, _, text = uri.partition(",")
    assert head == f"data:{content_type};base64"
    assert base64.b64decode(text, validate=True) == body


def test_a_data_uri_has_its_limits(tmp_path: Path) -> None:
    """A file that is too large, missing, or of no type that models take fails with a sentence."""
    photo = placed(tmp_path)
    size = photo.stat().st_size
    assert data_uri(str(photo), limit=size)

    for path, limit, sentence in (
        (photo, size - 1, "a data URI may have .* of it: upload it"),
        (tmp_path / "none.jpg", 10, "No such file"),
        (tmp_path, 10, "it is a folder"),
        (placed(tmp_path, "a.txt", b"hello"), 10, "of no type that models take"),
        (placed(tmp_path, "b.txt", b""), 10, "is empty"),
        (placed(tmp_path, "c.gif", picture(form="GIF")), 10**6, "is a GIF picture"),
    ):
        with pytest.raises(errors.ConfigurationError, match=sentence):
            data_uri(path, limit=limit)


def test_paths_are_found_at_any_depth(tmp_path: Path) -> None:
    """Lists and objects are gone through; all else stays what it is, and the caller's payload is not touched."""
    photo = placed(tmp_path)
    payload = {"prompt": "x", "n": 5, "list": [photo, {"inner": (Inline(photo),)}], "none": None}
    found = examined(payload)

    assert [place for place, _ in files_in(found)] == ["payload.list[0]", "payload.list[1].inner[0]"]
    assert [file.inline for _, file in files_in(found) if isinstance(file, LocalFile)] == [False, True]
    assert (found["prompt"], found["n"], found["none"]) == ("x", 5, None)
    assert payload["list"][0] is photo  # type: ignore[index]
    assert examined(found) == found


def test_a_file_is_told_by_its_own_header(tmp_path: Path) -> None:
    """Sides, seconds and size stand in the record, which is a value: equal, hashable, pickled, written as data."""
    photo = examined({"a": placed(tmp_path)})["a"]
    song = examined({"a": placed(tmp_path, "a.wav", sound(4))})["a"]

    assert (photo.type, photo.kind, photo.width, photo.height, photo.seconds) == (
        "jpeg",
        "image",
        800,
        600,
        None,
    )
    assert (song.type, song.kind, song.width, song.seconds) == ("wav", "audio", None, 4.0)
    assert str(photo) == f"photo.jpg, a JPEG picture of 800x600 pixels, {photo.size:,} bytes"
    assert str(song) == f"a.wav, a WAV sound of 4.0 s, {song.size:,} bytes"
    assert pickle.loads(pickle.dumps(photo)) == photo
    assert len({photo, examined({"a": photo.path})["a"]}) == 1
    assert LocalFile.from_dict(photo.as_dict()) == photo


@pytest.mark.parametrize(
    ("name", "body", "sentence"),
    [
        ("a.txt", b"hello", "payload.x[1].y: 'a.txt' is not uploaded: its bytes are none of the types"),
        (
            "a.png",
            picture(),
            "it is named like a PNG picture and is a JPEG picture: rename it; nothing was sent",
        ),
        ("a.gif", picture(form="GIF"), "it is a GIF picture; jpeg, jpg, png, mp4, mp3 and wav are taken"),
    ],
)
def test_a_file_that_cannot_be_sent_is_named_by_its_place(
    name: str, body: bytes, sentence: str, tmp_path: Path
) -> None:
    """The place in the payload, the file, and what would be right."""
    with pytest.raises(errors.PayloadInvalid) as caught:
        examined({"x": ["a", {"y": placed(tmp_path, name, body)}]})

    assert sentence in str(caught.value)
    assert str(caught.value).endswith("nothing was sent")


@pytest.mark.parametrize("limit", [0, -1, "9", None])
def test_a_limit_is_a_number_of_bytes(limit: Any) -> None:
    """A wrong limit fails when it is said."""
    with pytest.raises((ValueError, TypeError)):
        Inline("a.jpg", limit=limit)


WAN = model("wan2.6-i2v", img_url="string", audio_url="string")
KLING = model("kling-v2-6", image="image")
MOTION = model("kling-3-motion-control", image_url="image", video_url="video")


@pytest.mark.parametrize(
    ("width", "height", "why"),
    [
        (360, 360, None),
        (2000, 2000, None),
        (
            359,
            900,
            "img_url is 359x900 pixels; 360 to 2000 a side are taken (by the vendor's page of wan2.6-i2v)",
        ),
        (900, 2001, "img_url is 900x2001 pixels; 360 to 2000 a side are taken"),
    ],
)
def test_a_picture_is_held_against_its_models_page(
    width: int, height: int, why: str | None, tmp_path: Path
) -> None:
    """Sides that the model's page does not allow are told before the file is sent; those it allows are not."""
    found = said(WAN, {"img_url": placed(tmp_path, body=picture(width, height))})

    assert found == [] if why is None else found[0].startswith(why)


def test_shape_size_and_length_are_held_against_the_page(tmp_path: Path) -> None:
    """Proportions, bytes and seconds, each by its rule."""
    long = placed(tmp_path, body=picture(1000, 310))
    heavy = placed(tmp_path, "heavy.png", picture(form="PNG") + bytes(10_100_000))
    short = placed(tmp_path, "short.wav", sound(2.5))
    fair = placed(tmp_path, "fair.wav", sound(3.5))
    bulky = placed(tmp_path, "bulky.wav", sound(3.5) + bytes(15_000_001))

    assert said(KLING, {"image": long})[0].startswith("image is 1000x310 pixels; at most 2.5 to 1 is taken")
    assert said(KLING, {"image": heavy})[0].startswith("image has 10.1 MB; at most 10 are taken")
    assert said(WAN, {"audio_url": short})[0].startswith("audio_url lasts 2.5 s; 3 to 30 s are taken")
    assert said(WAN, {"audio_url": bulky})[0].startswith("audio_url has 15.1 MB; at most 15 MB are taken")
    assert said(WAN, {"audio_url": fair}) == []


def test_a_clip_of_the_wrong_length_or_kind_is_told(tmp_path: Path) -> None:
    """A video parameter wants a video, and as long a one as the page says."""
    brief = placed(tmp_path, "brief.mp4", clip("mp4", "aac", 2))
    photo = placed(tmp_path)

    assert said(MOTION, {"video_url": brief})[0].startswith("video_url lasts 2.0 s; 3 to 30 s are taken")
    assert said(MOTION, {"video_url": photo}) == [
        "video_url is 'photo.jpg', a JPEG picture; a video is wanted"
    ]
    assert said(MOTION, {"image_url": photo}) == []


def test_each_of_several_files_is_looked_at(tmp_path: Path) -> None:
    """A list of files is gone through, and a wrong one in it is found."""
    photo, small = placed(tmp_path), placed(tmp_path, "small.jpg", picture(200, 200))
    kling = model("kling-v2-6", image="array")

    assert said(kling, {"image": [photo, photo]}) == []
    assert said(kling, {"image": [photo, small]})[0].startswith(
        "image[1] is 200x200 pixels; at least 300 a side"
    )


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ([{"image_url": "SMALL"}], "image_list[0].image_url"),
        ([{"image_url": "PHOTO"}, {"type": "end", "image_url": "SMALL"}], "image_list[1].image_url"),
        ([["PHOTO", "SMALL"]], "image_list[0][1]"),
        ([{"images": ("SMALL",)}], "image_list[0].images[0]"),
        ({"first": "SMALL"}, "image_list.first"),
    ],
)
@pytest.mark.parametrize("inline", [False, True])
def test_a_file_within_objects_of_a_list_is_looked_at(
    value: Any, place: str, inline: bool, tmp_path: Path
) -> None:
    """Limits hold at any depth, for files and for base64 in the payload, and the sentence names the place."""
    files = {"PHOTO": placed(tmp_path), "SMALL": placed(tmp_path, "small.jpg", picture(200, 200))}
    omni = model("kling-v3-omni", prompt="string", image_list="any" if isinstance(value, dict) else "array")

    def put(told: Any) -> Any:
        if isinstance(told, dict):
            return {name: put(item) for name, item in told.items()}
        if isinstance(told, list | tuple):
            return type(told)(map(put, told))
        return data_uri(files[told]) if inline and told in files else files.get(told, told)

    sentences = said(omni, {"prompt": "p", "image_list": put(value)})
    assert [sentence.split(";")[0] for sentence in sentences] == [f"{place} is 200x200 pixels"]


def test_base64_within_objects_is_told_where_links_are_wanted(tmp_path: Path) -> None:
    """A model that takes links only is told of at any depth; links and plain words are not."""
    seedance = model("seedance-2-0-260128", prompt="string", reference_images="array")
    photo = placed(tmp_path)
    fine = [{"url": photo, "role": "data of mine"}, {"url": "https://a.example/a.png"}]

    assert said(seedance, {"prompt": "x", "reference_images": fine}) == []
    (sentence,) = said(seedance, {"prompt": "x", "reference_images": [{"url": Inline(photo)}]})
    assert sentence.startswith("reference_images[0].url holds the file itself")


def test_a_model_that_takes_links_only_is_told_of(tmp_path: Path) -> None:
    """A file that goes into the payload itself is doubtful where users saw base64 refused; one that is uploaded is not."""
    seedance = model("seedance-2-0-260128", first_frame="image", prompt="string", reference_images="array")
    photo = placed(tmp_path)

    assert said(seedance, {"prompt": "x", "first_frame": photo, "reference_images": [photo]}) == []
    assert "holds the file itself" in said(seedance, {"prompt": "x", "first_frame": Inline(photo)})[0]
    assert "holds the file itself" in said(seedance, {"prompt": "x", "reference_images": [Inline(photo)]})[0]


def test_a_path_that_nobody_looked_at_is_a_file(tmp_path: Path) -> None:
    """`Model.check` reads no disk: a bare path stands for a file of which nothing is known, and a wrong place is told."""
    assert KLING.check({"image": Path("none.jpg")}) == ()
    assert WAN.check({"img_url": Inline("none.jpg")}) == ()
    (problem,) = model("m", duration="integer").check({"duration": Path("none.jpg")})
    assert problem.sentence == "duration is the file 'none.jpg'; a whole number is wanted"


def test_looking_at_a_file_reads_little_of_it(tmp_path: Path) -> None:
    """A file of a gigabyte, sparse on disk, is looked at in no time and in no memory."""
    path = placed(tmp_path, "big.wav", sound(1))
    os.truncate(path, 1 << 30)

    assert examined({"a": path})["a"].size == 1 << 30
    assert large(8) == b"RIFF\0\0\0\0"
