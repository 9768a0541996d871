"""Which line is which, what its file is called, and what an error means for it: values in, values out."""

import hashlib
import json
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gmi_video import Media, VideoRequest, errors
from gmi_video.batch.counts import Money
from gmi_video.batch.lane import UNPROVEN, Lane
from gmi_video.batch.lines import identity, line_of, linked, local_files
from gmi_video.batch.names import checked, file_stem, split
from gmi_video.batch.records import Retry
from gmi_video.batch.verdict import of_submission, pause
from gmi_video.errors import ConfigurationError
from gmi_video.inputs import Inline

BOTH = Retry(attempts=3)


def content(path: str) -> str:
    """A digest as if files were what their names end in."""
    return hashlib.sha256(path.rpartition("-")[2].encode()).hexdigest()


def known_as(payload: dict[str, object], key: object = None, before: int = 0, model: str = "Veo3") -> bytes:
    return identity(line_of(VideoRequest(model, payload, key=key), content), before)


def test_a_line_is_its_model_and_payload_however_they_are_spelt() -> None:
    """The order of names does not count; model, values and the number of equal lines before do."""
    one = known_as({"a": 1, "b": [1, {"c": None, "d": "x"}]})

    assert one == known_as({"b": [1, {"d": "x", "c": None}], "a": 1})
    others = [
        known_as({"a": 1, "b": [1, {"c": None, "d": "x"}]}, before=1),
        known_as({"a": "1", "b": [1, {"c": None, "d": "x"}]}),
        known_as({"a": True, "b": [1, {"c": None, "d": "x"}]}),
        known_as({"a": 1, "b": [1, {"c": None, "d": "x"}]}, model="Veo3-Fast"),
    ]
    assert len({one, *others}) == 5


@pytest.mark.parametrize(("one", "other"), [(1, "1"), ("a", "b"), (("a", 1), ("a", 2)), (0, False)])
def test_keys_that_differ_are_lines_that_differ(one: object, other: object) -> None:
    """A key counts by its value and its type; with it, nothing else does."""
    assert known_as({"a": 1}, one) != known_as({"a": 1}, other)
    assert known_as({"a": 1}, one) == known_as({"a": 2}, one, before=3)


def test_local_files_count_by_content_wherever_they_lie() -> None:
    """A file that was moved or copied is the same line; it becomes a link when it is sent."""
    here = line_of(VideoRequest("m", {"image": Path("/a/x-cat"), "more": [Path("/b/y-dog")]}), content)
    there = line_of(VideoRequest("m", {"image": Path("/c/z-cat"), "more": [Path("/b/y-dog")]}), content)
    other = line_of(VideoRequest("m", {"image": Path("/a/x-dog"), "more": [Path("/b/y-dog")]}), content)
    kept = json.loads(here.payload)

    assert identity(here, 0) == identity(there, 0) != identity(other, 0)
    assert {Path(path).name for path, _ in local_files(kept)} == {"x-cat", "y-dog"}
    links = {content("/a/x-cat"): "https://cat", content("/b/y-dog"): "https://dog"}
    assert linked(kept, links) == {"image": "https://cat", "more": ["https://dog"]}


def test_a_file_that_is_sent_itself_is_not_the_one_that_is_uploaded() -> None:
    """An `Inline` is kept with its limit, counts by content, and stays a file until it is sent."""
    inline = line_of(VideoRequest("m", {"image": Inline(Path("/a/x-cat"), limit=7)}), content)
    moved = line_of(VideoRequest("m", {"image": Inline(Path("/c/z-cat"), limit=7)}), content)
    uploaded = line_of(VideoRequest("m", {"image": Path("/a/x-cat")}), content)
    kept = json.loads(inline.payload)

    assert identity(inline, 0) == identity(moved, 0) != identity(uploaded, 0)
    assert local_files(kept) == set()
    assert local_files(kept, inline=True) == {("/a/x-cat", content("/a/x-cat"))}
    assert linked(kept, {}) == {"image": Inline(Path("/a/x-cat"), limit=7)}


@given(
    st.text(min_size=1, max_size=300),
    st.text(max_size=300),
    st.sampled_from(["{key}", "{model}/{key}", "a/{prompt}/{key}.mp4", "{missing}", "{prompt}{key}"]),
)
def test_a_name_is_a_relative_path_that_every_system_takes(key: str, prompt: str, template: str) -> None:
    """Whatever stands in a row, its file stays inside the folder, within length, and has a name."""
    stem = file_stem(checked(template), {"key": key, "prompt": prompt, "model": "a/b"}, "r-1")
    name, extension = split(stem, Media("https://x.example/a.webm?sig=1"))

    parts = f"{name}{extension}".split("/")
    assert all(part not in {"", ".", ".."} for part in parts)
    assert all(len(part.encode()) <= 130 for part in parts)
    assert not set('\0<>:"|?*\\\n\r\t\u202e') & set(name + extension)
    assert not name.startswith("/")


@pytest.mark.parametrize(
    ("template", "link", "wanted"),
    [
        ("{key}", "https://x.example/a.webm", "k.webm"),
        ("{key}.mp4", "https://x.example/a.webm", "k.mp4"),
        ("{key}-v1.5", "https://x.example/a", "k-v1.5.mp4"),
        ("CON", "https://x.example/a.mp4", "_CON.mp4"),
        ("{seed}/{number}", "https://x.example/a.mp4", "7/3.mp4"),
    ],
)
def test_a_name_has_the_extension_that_it_needs(template: str, link: str, wanted: str) -> None:
    """The template's extension where it has one, else the link's, else the usual one."""
    told = {"key": "k", "seed": 7, "number": 3}

    assert "".join(split(file_stem(template, told, "r"), Media(link))) == wanted


@pytest.mark.parametrize(
    ("error", "attempts", "meaning"),
    [
        (errors.SubmissionUncertain("x"), 1, "uncertain"),
        (errors.PayloadInvalid("x"), 0, "fail"),
        (errors.Unauthorized("x", status=401), 1, "stop"),
        (ConfigurationError("x"), 0, "stop"),
        (ValueError("a store's"), 0, "stop"),
        (errors.InsufficientCredit("x", status=402), 1, "credit"),
        (errors.NotEntitled("x", status=403), 1, "model"),
        (errors.RateLimited("x", status=429), 1, "later"),
        (errors.ServiceError("x", status=503), 9, "later"),
        (errors.Unreachable("x"), 9, "later"),
        (errors.NotFound("x", status=404), 1, "fail"),
        (errors.ContentRefused("x", status=400), 1, "fail"),
        (errors.BackendRefused("x", status=500, kind="rate"), 1, "again"),
        (errors.BackendRefused("x", status=500, kind="rate"), 3, "fail"),
        (errors.BackendRefused("x", status=500, kind="content"), 1, "fail"),
        (errors.Incomplete("x"), 0, "later"),
        (errors.UnsafeURL("x"), 0, "fail"),
    ],
)
def test_an_error_means_one_thing_for_its_line(error: Exception, attempts: int, meaning: str) -> None:
    """What is wrong with a line ends it; what is wrong with the service makes it wait; the rest is somebody's turn."""
    assert of_submission(error, attempts, BOTH) == meaning


def test_a_service_in_trouble_is_asked_ever_less_often() -> None:
    """From fifteen seconds to five minutes, and never in step with others."""
    rng = Random(1)
    pauses = [pause(troubles, rng.random()) for troubles in range(1, 40)]

    assert 11 <= pauses[0] <= 15
    assert all(225 <= seconds <= 300 for seconds in pauses[5:])
    assert len(set(pauses)) == len(pauses)


def test_an_unproven_model_gets_four() -> None:
    """Until one request of a model was seen to leave the queue, no fifth is sent; a model in trouble gets one."""
    lane = Lane("m", out=3)
    proven = Lane("m", proven=True, out=300)

    assert lane.may_send(0.0, 32)
    lane.standing = UNPROVEN - 3
    assert not lane.may_send(0.0, 32)
    assert proven.may_send(0.0, 32)
    proven.trouble(0.0, 0.0, None)
    assert not proven.may_send(14.9, 32)
    assert proven.may_send(15.0, 32)
    proven.standing = 1
    assert not proven.may_send(15.0, 32)


@given(
    st.lists(st.tuples(st.decimals("0.0001", "9", places=4), st.sampled_from(["commit", "release", "back"])))
)
def test_a_budget_is_exact(moves: list[tuple[Decimal, str]]) -> None:
    """However much is reserved, spent and given back, the sums are what they are on paper, and never above it."""
    money = Money(budget=Decimal(20))
    spent = Decimal(0)
    for cost, move in moves:
        if not money.fits(cost):
            continue
        money.reserve(cost)
        assert money.spent + money.reserved <= 20
        if move == "release":
            money.release(cost)
        else:
            money.commit(cost)
            spent += cost
        if move == "back":
            money.give_back(cost)
            spent -= cost

    assert (money.spent, money.reserved) == (spent, Decimal(0))
