"""The kinds of things that are known of a model's payload beyond what its schema can say."""

from collections.abc import Mapping
from typing import Any

from attrs import field, frozen


@frozen
class Longest:
    """At most so many characters of a text, or items of a list."""

    most: int
    parameters: tuple[str, ...]


@frozen
class Total:
    """At most so many items in these lists together."""

    most: int
    parameters: tuple[str, ...]


@frozen
class Between:
    """A number from `low` to `high`, where the schema sets no bounds."""

    low: float
    high: float
    parameters: tuple[str, ...]


@frozen
class Sides:
    """The size of a picture: pixels a side, the longer one at most `ratio` times the shorter, bytes.

    It can be seen only where the picture stands in the payload itself, or is a file of this machine.
    """

    parameters: tuple[str, ...]
    low: int = field(default=1, kw_only=True)
    high: int | None = field(default=None, kw_only=True)
    ratio: float | None = field(default=None, kw_only=True)
    megabytes: int = field(default=10, kw_only=True)


@frozen
class Clip:
    """A clip or a sound: how long it may be, in seconds, and its bytes. It can be seen of a file of this machine."""

    parameters: tuple[str, ...]
    shortest: float
    longest: float
    megabytes: int = field(kw_only=True)


@frozen
class LinkOnly:
    """Files are wanted as public links, not as base64."""


@frozen
class Several:
    """A list is taken (`only`: wanted) where the schema's type speaks of one file."""

    parameters: tuple[str, ...]
    only: bool = field(default=False, kw_only=True)


@frozen
class Behind:
    """The queue lets any value through; what is wrong with it shows `then`. A `refused` type it does not take."""

    parameters: tuple[str, ...]
    then: str
    refused: type | None = None


@frozen
class Is:
    """The parameter, or its default in the schema, is one of these values, however they are written."""

    values: tuple[Any, ...]
    negated: bool = False


@frozen
class Given:
    """Whether the payload says anything under that name."""

    yes: bool = True


@frozen
class Together:
    """What does not go together: where all of `when` holds, `sentence` is to be said about `parameter`."""

    parameter: str
    sentence: str
    when: Mapping[str, Is | Given] = field(hash=False)


Rule = Longest | Total | Between | Sides | Clip | LinkOnly | Several | Behind | Together


@frozen
class Known:
    """What `source` says of the models whose ids match the pattern (as in `fnmatch`, in their exact case)."""

    models: str
    source: str
    rules: tuple[Rule, ...]


GIVEN, ABSENT = Given(), Given(yes=False)


def one_of(*values: Any) -> Is:
    """The parameter is one of `values`."""
    return Is(values)


def none_of(*values: Any) -> Is:
    """The parameter has a value, and it is none of `values`."""
    return Is(values, negated=True)
