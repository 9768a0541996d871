"""What is wrong with a file as an input of a model, by its own headers: too small, too long, of another kind. Pure."""

from typing import Any

from gmi_video._facts import LIVE, Fact
from gmi_video._local import LocalFile
from gmi_video._picture import Picture
from gmi_video._rules import Clip, Sides
from gmi_video.catalog import Problem, ProblemKind

_WANTED = {"image": "a picture", "video": "a video", "audio": "a sound"}


def amiss(fact: Fact, value: Any) -> Problem | None:
    """What is wrong with a file of this machine; nothing is known of one that nobody has looked at."""
    if not isinstance(value, LocalFile):
        return None
    wanted = _WANTED.get(fact.medium)
    if value.inline and fact.link_only:
        return file_itself(fact)
    if wanted is not None and fact.medium != value.kind:
        return _problem(fact, "type", f"is {value.path.name!r}, {value.words}; {wanted} is wanted", LIVE)
    if value.kind == "image":
        return misshapen(fact, Picture(value.size, value.width, value.height))
    why = _unfit(fact.clip, value) if fact.clip is not None else ""
    return _problem(fact, "clip", why, fact.clip_by) if why else None


def file_itself(fact: Fact) -> Problem:
    """A file stands in the payload, where its model takes links only."""
    return _problem(
        fact,
        "link",
        "holds the file itself; a public link is wanted, as `upload` gives one",
        fact.link_only,
    )


def misshapen(fact: Fact, picture: Picture) -> Problem | None:
    """A picture whose sides or size are not taken."""
    why = _outsized(fact.sides, picture) if fact.sides is not None else ""
    return _problem(fact, "picture", why, fact.sides_by) if why else None


def _problem(fact: Fact, kind: ProblemKind, why: str, source: str) -> Problem:
    by = "" if source == LIVE else f" (by {source})"
    return Problem(parameter=fact.name, kind=kind, sentence=f"{fact.name} {why}{by}", certain=False)


def _outsized(sides: Sides, picture: Picture) -> str:
    if picture.size > sides.megabytes * 1_000_000:
        return f"has {_apart(picture.size / 1e6, sides.megabytes)} MB; at most {sides.megabytes} are taken"
    if not (picture.width and picture.height):
        return ""
    short, long = sorted((picture.width, picture.height))
    if short < sides.low or (sides.high is not None and long > sides.high):
        span = f"{sides.low} to {sides.high}" if sides.high else f"at least {sides.low}"
        return f"is {picture.width}x{picture.height} pixels; {span} a side are taken"
    if sides.ratio is not None and long > sides.ratio * short:
        return f"is {picture.width}x{picture.height} pixels; at most {sides.ratio:g} to 1 is taken"
    return ""


def _unfit(clip: Clip, file: LocalFile) -> str:
    if file.size > clip.megabytes * 1_000_000:
        return f"has {_apart(file.size / 1e6, clip.megabytes)} MB; at most {clip.megabytes} MB are taken"
    if file.seconds is not None and not clip.shortest <= file.seconds <= clip.longest:
        lasts = _apart(file.seconds, clip.shortest, clip.longest)
        return f"lasts {lasts} s; {clip.shortest:g} to {clip.longest:g} s are taken"
    return ""


def _apart(value: float, *limits: float) -> str:
    """A number with one decimal, or with as many as tell it from the limits that it breaks."""
    texts = (f"{value:,.{decimals}f}" for decimals in range(1, 7))
    return next((text for text in texts if float(text.replace(",", "")) not in limits), f"{value:,.6f}")
