"""Faults of the transport as frozen values: what the client sees of each, and whether the queue did its work.

A fault is said of one call (`Behaviour.fault`), of a model, or drawn by seed (`Faults`). `accepts` is the
question every money test asks: True where a submission that meets this fault is charged all the same.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, TypeAlias

from attrs import field, frozen
from attrs.validators import ge, gt


@frozen(kw_only=True)
class HangUp:
    """The connection ends too early; by default with a FIN after the queue did its work, without a word.

    `how`: "reset" is an RST; "close" a FIN, after which the client's own bytes are refused; "half_close" a
    FIN of the sandbox's side only, which goes on reading until the client leaves.
    `of`: "reply" lets the queue work first and sends `after` bytes of the reply, its head included, "body"
    the head and `after` bytes of the body; a negative number counts from the end. "request" hangs up when the head and `after` bytes of the
    body were read (the kernel has taken more of them), and nothing is accepted; only a "half_close" of the
    request is a FIN before everything, behind which the queue still takes the submission in.
    """

    how: Literal["reset", "close", "half_close"] = "close"
    of: Literal["request", "reply", "body"] = "reply"
    after: int = 0

    @property
    def accepts(self) -> bool:
        """True unless the request was not read to its end."""
        return self.of != "request" or self.how == "half_close"


@frozen(kw_only=True)
class Silence:
    """No byte of a reply, ever; the connection stays until the client leaves or the sandbox closes."""

    accepted: bool = False

    @property
    def accepts(self) -> bool:
        """Whether the queue did its work before it fell silent."""
        return self.accepted


@frozen(kw_only=True)
class Drip:
    """The reply, head included, in pieces of `size` bytes, one per `interval` seconds: no read ever stalls."""

    interval: float = field(default=1.0, validator=gt(0))
    size: int = field(default=1, validator=ge(1))
    accepts = True


@frozen(kw_only=True)
class Late:
    """The whole reply, `seconds` after the queue did its work; `speed` does not divide them."""

    seconds: float = field(default=120.0, validator=ge(0))
    accepts = True


@frozen(kw_only=True)
class Postponed:
    """The connection is closed without a word, and a submission is carried out only `seconds` later.

    A list read in between does not show it: absence proves nothing.
    """

    seconds: float = field(default=10.0, validator=ge(0))
    accepts = True


@frozen(kw_only=True)
class Edge:
    """An HTML page of the gateway with this status, by default after the queue did its work."""

    status: int = 502
    accepted: bool = True

    @property
    def accepts(self) -> bool:
        """Whether the queue heard of it."""
        return self.accepted


@frozen(kw_only=True)
class Garbage:
    """These bytes instead of HTTP, then a FIN."""

    body: bytes = b"\x15\x03\x03\x00\x02\x02\x50 SSH-2.0-not-http\r\n\r\n"
    accepted: bool = True

    @property
    def accepts(self) -> bool:
        """Whether the queue did its work before the gibberish."""
        return self.accepted


@frozen(kw_only=True)
class HeaderFlood:
    """The reply with `count` further headers of `size` bytes each; one of a megabyte is a flood too."""

    count: int = field(default=10_000, validator=ge(1))
    size: int = field(default=32, validator=ge(1))
    accepts = True


@frozen(kw_only=True)
class WrongLength:
    """A Content-Length that is `by` bytes off, on a connection that stays open.

    Too short (`by` below 0): the body's last bytes stand where the next reply begins. Too long: the client
    waits for bytes that never come.
    """

    by: int = -8
    accepts = True


@frozen(kw_only=True)
class Bomb:
    """The reply followed by `inflated` bytes of white space, gzipped: about a thousandth of them on the wire.

    It is sent whether or not the client said that it takes gzip.
    """

    inflated: int = field(default=64 * 1024 * 1024, validator=ge(1))
    accepts = True


@frozen(kw_only=True)
class Redirect:
    """A redirect with this status to `to`, by default before anything was accepted.

    `to`: "elsewhere" is the sandbox's third origin (`Sandbox.elsewhere_url`), same path and query, which
    notes whatever arrives; "self" is the very URL that was called, a loop; anything else is the Location.
    """

    status: Literal[301, 302, 303, 307, 308] = 307
    to: str = "elsewhere"
    accepted: bool = False

    @property
    def accepts(self) -> bool:
        """Whether the queue did its work before it pointed elsewhere."""
        return self.accepted


@frozen(kw_only=True)
class Early:
    """An answer with this status when the head was read, before the body; nothing is accepted.

    With `lingers` the rest of the body is read and thrown away for up to ten seconds; without, the
    connection closes at once, and a client that is still sending meets an RST.
    """

    status: int = 413
    lingers: bool = True
    accepts = False


@frozen(kw_only=True)
class Refuse:
    """The listening socket is closed for `seconds`: connects are refused, as with no server there.

    Drawn for a connection, that one (which the kernel has already accepted) is reset without a byte read.
    Said of a call, its connection is reset with nothing accepted. Connections that are open stay.
    """

    seconds: float = field(default=5.0, validator=gt(0))
    accepts = False


@frozen(kw_only=True)
class Unmeasured:
    """The reply without a length and with `Connection: close`, ended by a FIN after `after` bytes of its body.

    None: whole. A cut one cannot be told from a whole one by HTTP alone.
    """

    after: int | None = None
    accepts = True


@frozen(kw_only=True)
class Endless:
    """The reply's body over and over, without a length, until the client leaves or the sandbox closes.

    Pieces of `size` bytes, one per `interval` seconds, so that a client's deadline still comes.
    """

    size: int = field(default=16_384, validator=ge(1))
    interval: float = field(default=0.01, validator=gt(0))
    accepts = True


Fault: TypeAlias = (
    HangUp
    | Silence
    | Drip
    | Late
    | Postponed
    | Edge
    | Garbage
    | HeaderFlood
    | WrongLength
    | Bomb
    | Redirect
    | Early
    | Refuse
    | Unmeasured
    | Endless
)

NAMED: Mapping[str, Fault] = MappingProxyType(
    {
        "refuse": Refuse(),
        "reset_before_body": HangUp(how="reset", of="request"),
        "reset_in_body": HangUp(how="reset", of="request", after=16),
        "reset_after_accept": HangUp(how="reset"),
        "reset_in_head": HangUp(how="reset", after=20),
        "reset_in_reply": HangUp(how="reset", after=-10),
        "drop_before_body": HangUp(of="request"),
        "drop_after_accept": HangUp(),
        "half_close_first": HangUp(how="half_close", of="request"),
        "half_close_in_reply": HangUp(how="half_close", after=-10),
        "truncate": HangUp(after=-10),
        "502": Edge(accepted=False),
        "502_after_accept": Edge(),
        "504_after_accept": Edge(status=504),
        "blackhole": Silence(),
        "blackhole_after_accept": Silence(accepted=True),
        "drip": Drip(),
        "late": Late(),
        "postponed": Postponed(),
        "garbage": Garbage(),
        "header_flood": HeaderFlood(),
        "huge_header": HeaderFlood(count=1, size=1024 * 1024),
        "wrong_length": WrongLength(),
        "long_length": WrongLength(by=8),
        "unmeasured": Unmeasured(),
        "endless": Endless(),
        "gzip_bomb": Bomb(),
        "redirect_302": Redirect(status=302),
        "redirect_307": Redirect(),
        "redirect_308": Redirect(status=308),
        "early": Early(),
        "early_reset": Early(lingers=False),
    }
)
"""Each fault under the name that `Faults` takes for it, with values that fit a reply of the queue's size."""
