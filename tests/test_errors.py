"""The tree of errors: its families, its attributes, and that every error travels whole."""

import copy
import inspect
import json
import pickle
import re
from typing import Any

import pytest

from gmi_video import errors
from gmi_video.catalog import Problem
from gmi_video.errors import GmiVideoError, MalformedResponse
from gmi_video.records import Snapshot, Status

SNAPSHOT = Snapshot(request_id="r-1", model="Veo3", status=Status.PROCESSING)
CLASSES: list[type[GmiVideoError]] = [
    thing for thing in vars(errors).values() if isinstance(thing, type) and issubclass(thing, GmiVideoError)
]
COMMON: dict[str, Any] = {
    "request_id": "r-1",
    "key": ("row", 7),
    "charged": "maybe",
    "retryable": True,
    "attempts": 3,
}
OWN: dict[str, Any] = {
    "cause": "ClientOSError",
    "intent": "i-1",
    "evidence": "the connection broke",
    "candidates": ("r-1", "r-2"),
    "status": 429,
    "words": "too many",
    "retry_after": 29.97,
    "excerpt": "<html>",
    "kind": "rate",
    "what": "missing",
    "path": "request_id",
    "snapshot": SNAPSHOT,
    "problems": (
        Problem(parameter="duration", kind="type", sentence="duration is no number", suggestion="5"),
    ),
}


def _drawn() -> list[tuple[str, str, str]]:
    """Each class of the drawing, the class above it, and what is said beside it."""
    rows: list[tuple[str, str, str]] = []
    line_of: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        found = re.match(r"^    ([│ ├└─]*)([A-Z]\w+)(.*)$", line)
        if found is None or (not found[1] and line_of):
            continue
        depth = (len(found[1]) + 1) // 4
        line_of[depth:] = [found[2]]
        rows.append((found[2], line_of[depth - 1] if depth else "Record", found[3]))
    return rows


def _full(kind: type[GmiVideoError]) -> GmiVideoError:
    """An error with every attribute set that its family takes."""
    own: dict[str, Any] = {}
    for base in kind.__mro__:
        if "__init__" in vars(base) and issubclass(base, GmiVideoError):
            own |= {name: OWN[name] for name in inspect.signature(base).parameters if name in OWN}
    return kind("GMI refused request r-1: too many", **COMMON, **own)


def test_the_drawing_names_every_error() -> None:
    """The tree in the docstring has each class once, and no class that does not exist."""
    assert sorted(kind.__name__ for kind in CLASSES) == sorted(name for name, _, _ in _drawn())


@pytest.mark.parametrize(("name", "parent", "beside"), _drawn())
def test_the_drawing_is_true(name: str, parent: str, beside: str) -> None:
    """Each class stands under the class it derives from, and is the builtin that the drawing says."""
    kind = getattr(errors, name)
    builtin = re.findall(r"also (\w+)", beside)

    assert parent == kind.__bases__[0].__name__
    assert builtin == [base.__name__ for base in kind.__bases__[1:] if base is not Exception]


@pytest.mark.parametrize("kind", CLASSES)
@pytest.mark.parametrize(
    "travel", [copy.copy, copy.deepcopy, lambda error: pickle.loads(pickle.dumps(error))]
)
def test_every_error_travels_whole(kind: type[GmiVideoError], travel: Any) -> None:
    """Copied, deep-copied or pickled, an error keeps its class, its sentence and each attribute."""
    error = _full(kind)

    arrived = travel(error)

    assert type(error) is type(arrived)
    assert str(error) == str(arrived)
    assert vars(error) == vars(arrived)
    assert len({error, arrived}) == 2


@pytest.mark.parametrize("kind", CLASSES)
def test_every_error_can_be_made_of_a_sentence_alone(kind: type[GmiVideoError]) -> None:
    """A sentence is enough for any error; the common attributes have their defaults."""
    error = kind("a sentence")

    assert (str(error), error.request_id, error.key, error.attempts) == ("a sentence", None, None, 1)
    assert error.charged in {"no", "maybe", "yes"}
    assert str(kind()) == ""


@pytest.mark.parametrize("kind", CLASSES)
def test_every_error_is_written_as_json_and_read_back(kind: type[GmiVideoError]) -> None:
    """The dict of an error is JSON, and gives back class, sentence and what JSON can hold."""
    error = _full(kind)
    error.key = "row-7"

    data = json.loads(json.dumps(error.as_dict()))
    read = GmiVideoError.from_dict(data)

    assert type(error) is type(read)
    assert str(error) == str(read)
    assert vars(error) == {name: getattr(read, name) for name in vars(error)}


@pytest.mark.parametrize("kind", CLASSES)
def test_the_dict_says_what_the_class_implies(kind: type[GmiVideoError]) -> None:
    """A reader of the JSON alone learns whether money was spent and whether to try again."""
    error = kind("a sentence")

    data = error.as_dict()

    assert (kind.__name__, error.charged, error.retryable) == (
        data["error"],
        data["charged"],
        data["retryable"],
    )
    assert getattr(error, "kind", None) == data.get("kind")


def test_what_json_cannot_hold_is_left_out_of_the_dict() -> None:
    """A key that is no plain value, or problems that are no text, do not spoil the dict."""
    error = errors.PayloadInvalid("bad", problems=(object(),), key=object())

    assert {"key", "problems"}.isdisjoint(error.as_dict())


def test_an_unknown_class_comes_back_as_the_family() -> None:
    """An error written by another version is still an error here."""
    read = GmiVideoError.from_dict({"error": "Tomorrow", "sentence": "later", "request_id": "r-1"})

    assert (GmiVideoError, "later", "r-1") == (type(read), str(read), read.request_id)
    assert errors.ResponseError is type(errors.ResponseError.from_dict({"error": "Interrupted"}))


def test_a_hostile_dict_shadows_no_method() -> None:
    """Only attributes of an error are taken from a dict, whatever else it names."""
    read = GmiVideoError.from_dict(
        {"error": "NotFound", "as_dict": "x", "args": "y", "__class__": "z", "kind": "rate"}
    )

    assert callable(read.as_dict)
    assert {"as_dict", "__class__"}.isdisjoint(vars(read))
    assert errors.NotFound is type(read)


def test_the_dict_of_no_error_is_refused() -> None:
    """A dict that names no class raises `MalformedResponse`."""
    with pytest.raises(MalformedResponse):
        GmiVideoError.from_dict({"sentence": "x"})


@pytest.mark.parametrize(
    ("kind", "charged", "retryable"),
    [
        (errors.ConfigurationError, "no", False),
        (errors.Unreachable, "no", True),
        (errors.TimedOut, "no", True),
        (errors.SubmissionUncertain, "maybe", False),
        (errors.Rejected, "no", False),
        (errors.ContentRefused, "no", False),
        (errors.Unauthorized, "no", False),
        (errors.InsufficientCredit, "no", False),
        (errors.NotEntitled, "no", False),
        (errors.NotFound, "no", False),
        (errors.RateLimited, "no", True),
        (errors.BackendRefused, "no", False),
        (errors.ServiceError, "no", True),
        (errors.GenerationFailed, "no", False),
        (errors.GenerationCancelled, "no", False),
        (errors.GenerationEmpty, "yes", False),
        (errors.GenerationOverdue, "yes", True),
        (errors.PayloadInvalid, "no", False),
        (errors.Incomplete, "no", True),
        (errors.LinkExpired, "no", False),
    ],
)
def test_each_family_says_whether_it_costs_and_may_be_repeated(
    kind: type[GmiVideoError], charged: str, retryable: bool
) -> None:
    """`charged` and `retryable` of a class are what its family promises."""
    assert (charged, retryable) == (kind.charged, kind.retryable)


@pytest.mark.parametrize(
    ("kind", "builtin"),
    [
        (errors.ConfigurationError, ValueError),
        (errors.TimedOut, TimeoutError),
        (errors.GenerationOverdue, TimeoutError),
    ],
)
def test_builtin_handlers_catch_the_likes(kind: type[GmiVideoError], builtin: type[Exception]) -> None:
    """`except TimeoutError` and `except ValueError` catch ours as well, with our sentence."""
    with pytest.raises(builtin) as caught:
        raise kind("a sentence", request_id="r-1")

    assert str(caught.value) == "a sentence"


def test_an_explicit_fact_overrides_the_class() -> None:
    """What is said at the place of failure wins over the class's default."""
    error = errors.ServiceError("x", charged="maybe", retryable=False, kind="rate")

    assert (error.charged, error.retryable, error.kind) == ("maybe", False, "rate")
    assert (
        errors.ServiceError.charged,
        errors.ServiceError.retryable,
        errors.ServiceError.kind,
    ) == ("no", True, "service")
