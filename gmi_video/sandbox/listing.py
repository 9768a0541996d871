"""`Listing`: how the list of requests departs from a complete one, newest first. Pure."""

from typing import Literal, assert_never

from attrs import field, frozen
from attrs.validators import ge, optional

from gmi_video.sandbox.answers import Answer


@frozen(kw_only=True)
class Listing:
    """The oddities of the list; nothing said is a list that holds everything, newest first.

    Said of the whole run (`Script.listing`) or of one call (`Behaviour.listing`, in `Script.lists`).
    """

    refused: Literal[403, 404, 500] | None = None
    """Every list is refused with this status, while looks go on."""
    most: int | None = field(default=None, validator=optional(ge(0)))
    """Only the newest so many can ever be paged to, while `total` counts all."""
    longest: int | None = field(default=None, validator=optional(ge(1)))
    """The most records of a page, whatever `limit` asks; None: the script's `longest_page`."""
    has_more: Literal["right", "missing", "always", "never"] = "right"
    total: Literal["right", "missing"] = "right"
    order: Literal["newest", "oldest", "shuffled"] = "newest"
    """"shuffled" is one order for the whole run, with nothing to do with time."""
    repeats: int = field(default=0, validator=ge(0))
    """Every page but the first begins with so many records of the page before it."""
    lags: float = field(default=0.0, validator=ge(0))
    """Seconds by which the list is behind the looks: a replica that shows how things stood then."""
    echo: Literal["payload", "empty"] = "payload"
    """"empty": payloads are `{}` in the list and whole in the record by id."""
    without: tuple[str, ...] = ()
    """Keys that the list's records lack."""
    adds: tuple[object, ...] = ()
    """Malformed items, put into the middle of every page."""

    def refusal(self) -> Answer | None:
        """What a list call is told instead of a page."""
        match self.refused:
            case None:
                return None
            case 403:
                return Answer.refusal(403, "you do not have permission to list requests")
            case 404:
                return Answer.text(404, "404 page not found")
            case 500:
                return Answer.refusal(500, "internal server error")
            case never:
                assert_never(never)


HONEST = Listing()
"""The list of a healthy service."""
