"""Everything that can be set, as frozen values that are checked when they are made."""

import math
from collections.abc import Awaitable, Callable, Mapping
from ipaddress import ip_address
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from attrs import Attribute, evolve, field, frozen
from attrs.validators import optional

from gmi_video.errors import ConfigurationError

KEY_VARIABLES = ("GMI_API_KEY", "GMI_CLOUD_API_KEY", "GMI_CLOUD_APIKEY")
"""Environment variables that may hold the key, the first one set wins; all three are in use by others."""

_VARIABLES = frozenset({*KEY_VARIABLES, "GMI_ORG_ID", "GMI_BASE_URL"})
_CHAT_HOST = "api.gmi-serving.com"


class Secret(str):
    """A string that shows itself only where its very value is asked for: no repr, no pickle."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "<secret>"

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __reduce_ex__(self, protocol: Any) -> Any:
        message = "a key is not pickled: give the other process its own, by environment or callable"
        raise TypeError(message)


KeySource = Callable[[], Awaitable[str]]


class _Assumed(str):
    """A default that the environment may replace, told apart from the same words said by the caller."""

    __slots__ = ()


DEFAULT_BASE_URL = "https://console.gmicloud.ai/api/v1/ie/requestqueue/apikey"
"""The API-key surface of the queue, from the vendor's Video API Reference."""


def _refuse(owner: object, name: str, value: object, what: str) -> ConfigurationError:
    return ConfigurationError(f"{type(owner).__name__}.{name} is {value!r}; {what}")


def _number(low: float, high: float = math.inf) -> Callable[[Any, "Attribute[Any]", Any], None]:
    def check(owner: object, attribute: "Attribute[Any]", value: object) -> None:
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            span = f"from {low:g} to {high:g}" if high < math.inf else f"of at least {low:g}"
            raise _refuse(owner, attribute.name, value, f"a number {span} is wanted")

    return check


def _count(low: int, high: int = 100_000) -> Callable[[Any, "Attribute[Any]", Any], None]:
    def check(owner: object, attribute: "Attribute[Any]", value: object) -> None:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise _refuse(owner, attribute.name, value, f"a whole number from {low} to {high} is wanted")

    return check


@frozen(kw_only=True)
class Patience:
    """How often a failed call is repeated: `attempts` in all, waits of `first` seconds that grow by
    `growth` up to `longest`, each shortened by up to `jitter` of itself. A submission is never repeated
    once a byte of it was sent.
    """  # noqa: D205  # one thought

    attempts: int = field(default=4, validator=_count(1, 100))
    first: float = field(default=0.5, validator=_number(0.001, 3600))
    growth: float = field(default=2.0, validator=_number(1, 10))
    longest: float = field(default=30.0, validator=_number(0.001, 3600))
    jitter: float = field(default=0.5, validator=_number(0, 1))


@frozen(kw_only=True)
class Pace:
    """How often to look: first after `first` seconds, then `growth` times later each time that nothing
    changed, never more than `longest` apart, each ± `jitter` of itself. A request frozen for
    `stalled_after` seconds is reported. All in seconds; how a request ended is remembered for `remember`.

    Where enough is known of a model, looks fall where its requests end, never more than `longest` apart; smaller
    `first` means more of them. `sweep` says whether pages of the list may stand for looks.
    """  # noqa: D205  # one thought

    first: float = field(default=2.0, validator=_number(0.001, 86_400))
    growth: float = field(default=1.5, validator=_number(1, 10))
    longest: float = field(default=30.0, validator=_number(0.001, 86_400))
    jitter: float = field(default=0.2, validator=_number(0, 0.9))
    stalled_after: float = field(default=1800.0, validator=_number(1))
    remember: float = field(default=600.0, validator=_number(0))
    sweep: Literal["auto", "never"] = "auto"

    def __attrs_post_init__(self) -> None:
        if self.sweep not in ("auto", "never"):
            raise _refuse(self, "sweep", self.sweep, "'auto' or 'never' is wanted")
        if self.longest < self.first:
            raise _refuse(
                self, "longest", self.longest, f"it may not be below first, which is {self.first:g}"
            )


@frozen(kw_only=True)
class Limits:
    """What may be under way at once: POSTs that wait for their answer, and files being carried.

    `calls_per_second` is the most that this session calls the API, whatever the service allows. `unproven` is how
    many requests a model may have while none was seen to leave the queue: some accept requests and never run them.
    """

    submissions: int = field(default=32, validator=_count(1))
    downloads: int = field(default=16, validator=_count(1))
    calls_per_second: float | None = field(default=None, validator=optional(_number(0.01, 100_000)))
    unproven: int | None = field(default=None, validator=optional(_count(1)))


@frozen(kw_only=True)
class Resubmit:
    """Allows up to `at_most` second POSTs per session, each after complete lists over the whole time to
    settle showed no trace of the first. If the service runs the first one later still, both are charged.
    """  # noqa: D205  # one thought

    at_most: int = field(validator=_count(0))


def _key(value: object) -> object:
    return Secret(value.strip()) if isinstance(value, str) and not isinstance(value, Secret) else value


def is_key(value: str) -> bool:
    """Whether this may be a key: something printable, ASCII, without spaces."""
    return bool(value) and value.isascii() and value.isprintable() and " " not in value


def _check_key(_owner: object, _attribute: object, value: Any) -> None:
    if value is None or callable(value):
        return
    if not isinstance(value, str):
        message = f"Settings.api_key is a string or an async callable, not {type(value).__name__}"
        raise ConfigurationError(message)
    if not is_key(value):
        message = (
            "Settings.api_key is empty or holds characters that no key has (spaces, line breaks, non-ASCII)"
        )
        raise ConfigurationError(message)


def _check_organization(_owner: object, _attribute: object, value: Any) -> None:
    if value is not None and not (
        isinstance(value, str) and value and value.isascii() and value.isprintable()
    ):
        message = (
            "Settings.organization is an organisation's id, printable ASCII, as sent in X-Organization-ID"
        )
        raise ConfigurationError(message)


def _url(value: object) -> object:
    return value.strip().rstrip("/") if isinstance(value, str) and not isinstance(value, _Assumed) else value


def is_loopback(host: str | None) -> bool:
    """Whether `host` names this machine itself: the only place that may be spoken to without TLS."""
    try:
        return host is not None and (host.lower() == "localhost" or ip_address(host).is_loopback)
    except ValueError:  # another name, "127.evil.example.com" among them
        return False


def _check_url(owner: object, _attribute: object, value: Any) -> None:
    try:
        parts = urlsplit(value) if isinstance(value, str) else None
        host = parts.hostname if parts else None
        _ = parts.port if parts else None
    except ValueError:
        parts, host = None, None
    if isinstance(value, str) and any(sign in value for sign in "@?#"):
        message = (
            "Settings.base_url holds credentials, a query or a fragment; give the bare prefix of the API"
        )
        raise ConfigurationError(message)
    if isinstance(value, str) and not (value.isascii() and value.isprintable() and " " not in value):
        raise _refuse(owner, "base_url", value, "it holds signs that stand in no URL unescaped")
    if parts is None or not host or parts.scheme not in {"http", "https"}:
        raise _refuse(owner, "base_url", value, f"a URL like {DEFAULT_BASE_URL!r} is wanted")
    if host == _CHAT_HOST or parts.path.rstrip("/") in {"/v1", "/api/v1"}:
        what = f"that is the chat endpoint; the video queue is at {DEFAULT_BASE_URL!r}"
        raise _refuse(owner, "base_url", value, what)
    if parts.scheme == "http" and not is_loopback(host):
        raise _refuse(owner, "base_url", value, "the key may travel by https only (http is for this machine)")


@frozen(kw_only=True)
class Settings:
    """What a `Session` is told. Times are seconds; wrong values fail here and name field and value.

    `api_key` is a string, or an async callable that is asked for one, and again after a 401. What is not
    given here is taken from the environment by `Session` (`GMI_API_KEY`, `GMI_ORG_ID`, `GMI_BASE_URL`).

    `on_uncertain` says what to do where the answer to a submission was lost: "reconcile" looks for it in the
    list for up to `settle` seconds and never posts again; "raise" does not look; `Resubmit(at_most=N)` may post
    again. `writers="shared"` says that other processes submit equal payloads on this account, so that an equal
    record proves nothing. `disambiguate="seed"` gives each payload a random seed of its own, where the model
    has one and the caller gave none. `check` holds payloads against the model's schema before they are sent:
    "warn" refuses what the service certainly would and warns of the rest, "strict" refuses both, "off" asks
    for no schema.

    `wait` is how long a submission may stand before limits; then it raises `RateLimited` and nothing was sent. With
    `wait`, or in the lane "bulk", a 429 is waited for as well; else it is raised. `lane`: of five calls that wait,
    four "interactive" ones go before one in "bulk".
    """

    api_key: str | KeySource | None = field(
        default=None, converter=_key, validator=_check_key, repr=lambda key: "<set>" if key else "None"
    )
    organization: str | None = field(
        default=None, validator=_check_organization, repr=lambda name: "<set>" if name else "None"
    )
    base_url: str = field(default=_Assumed(DEFAULT_BASE_URL), converter=_url, validator=_check_url)
    concurrency: int = field(default=64, validator=_count(1))
    timeout: float = field(default=30.0, validator=_number(0.001, 86_400))
    submit_timeout: float = field(default=600.0, validator=_number(0.001, 86_400))
    on_uncertain: Literal["raise", "reconcile"] | Resubmit = "reconcile"
    settle: float = field(default=120.0, validator=_number(0, 86_400))
    writers: Literal["alone", "shared"] = "alone"
    disambiguate: Literal["seed"] | None = None
    check: Literal["strict", "warn", "off"] = "warn"
    wait: float | None = field(default=None, validator=optional(_number(0, 86_400)))
    lane: Literal["interactive", "bulk"] = "interactive"
    limits: Limits = field(factory=Limits)
    patience: Patience = field(factory=Patience)
    pace: Pace = field(factory=Pace)
    user_agent: str = field(default="gmi_video/0.1")

    @user_agent.validator
    def _check_user_agent(self, _attribute: object, value: Any) -> None:
        if not (isinstance(value, str) and value and value.isascii() and value.isprintable()):
            raise _refuse(self, "user_agent", value, "printable ASCII is wanted")

    def __attrs_post_init__(self) -> None:
        if not isinstance(self.on_uncertain, Resubmit) and self.on_uncertain not in ("raise", "reconcile"):
            what = "'raise', 'reconcile' or Resubmit(at_most=…) is wanted"
            raise _refuse(self, "on_uncertain", self.on_uncertain, what)
        if self.writers not in ("alone", "shared"):
            raise _refuse(self, "writers", self.writers, "'alone' or 'shared' is wanted")
        if self.lane not in ("interactive", "bulk"):
            raise _refuse(self, "lane", self.lane, "'interactive' or 'bulk' is wanted")
        if self.check not in ("strict", "warn", "off"):
            raise _refuse(self, "check", self.check, "'strict', 'warn' or 'off' is wanted")
        if self.disambiguate not in (None, "seed"):
            raise _refuse(self, "disambiguate", self.disambiguate, "'seed' or None is wanted")

    @limits.validator
    @patience.validator
    @pace.validator
    def _check_group(self, attribute: "Attribute[Any]", value: object) -> None:
        wanted = {"limits": Limits, "patience": Patience, "pace": Pace}[attribute.name]
        if not isinstance(value, wanted):
            raise _refuse(self, attribute.name, value, f"a {wanted.__name__}(…) is wanted")

    def completed(self, environ: Mapping[str, str]) -> "Settings":
        """These settings, with what was not given taken from `environ`; what was given stays."""
        said = {
            name: value.strip() for name, value in environ.items() if name in _VARIABLES and value.strip()
        }
        found: dict[str, Any] = {}
        if self.api_key is None:
            found["api_key"] = next((said[name] for name in KEY_VARIABLES if name in said), None)
        if self.organization is None:
            found["organization"] = said.get("GMI_ORG_ID")
        if isinstance(self.base_url, _Assumed) and "GMI_BASE_URL" in said:
            found["base_url"] = said["GMI_BASE_URL"]
        return evolve(self, **found)

    @classmethod
    def from_env(cls, environ: Mapping[str, str], **given: Any) -> "Settings":
        """Settings from a mapping such as `os.environ`; what is `given` wins."""
        return cls(**given).completed(environ)
