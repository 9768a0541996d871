"""Everything that can be set, as frozen values that are checked when they are made."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Literal

from attrs import Attribute, evolve, field, frozen
from attrs.validators import optional

from gmi_video import _choice
from gmi_video._address import ADDRESSES, DOOR_NAMES, DoorName, hides, is_loopback, wrong
from gmi_video._checks import count, hosts, number, refuse
from gmi_video._choice import KEY_VARIABLES
from gmi_video._secret import Secret
from gmi_video.errors import ConfigurationError
from gmi_video.login import EMAIL_VARIABLE, PASSWORD_VARIABLE, Login

__all__ = [
    "DEFAULT_BASE_URL",
    "KEY_VARIABLES",
    "KeySource",
    "Limits",
    "Pace",
    "Patience",
    "Resubmit",
    "Secret",
    "Settings",
    "is_key",
    "is_loopback",
]

KeySource = Callable[[], Awaitable[str]]


class _Assumed(str):
    """A default that the environment may replace, told apart from the same words said by the caller."""

    __slots__ = ()


DEFAULT_BASE_URL = ADDRESSES["apikey"].queue
"""The API-key door of the queue."""


@frozen(kw_only=True)
class Patience:
    """How often a failed call is repeated: `attempts` in all, waits of `first` seconds that grow by
    `growth` up to `longest`, each shortened by up to `jitter` of itself. A submission is never repeated
    once a byte of it was sent.
    """  # noqa: D205  # one thought

    attempts: int = field(default=4, validator=count(1, 100))
    first: float = field(default=0.5, validator=number(0.001, 3600))
    growth: float = field(default=2.0, validator=number(1, 10))
    longest: float = field(default=30.0, validator=number(0.001, 3600))
    jitter: float = field(default=0.5, validator=number(0, 1))


@frozen(kw_only=True)
class Pace:
    """How often to look: first after `first` seconds, then `growth` times later each time that nothing
    changed, never more than `longest` apart, each ± `jitter` of itself. A request frozen for
    `stalled_after` seconds is reported. All in seconds; how a request ended is remembered for `remember`.

    Where enough is known of a model, looks fall where its requests end, never more than `longest` apart; smaller
    `first` means more of them. `sweep` says whether pages of the list may stand for looks.
    """  # noqa: D205  # one thought

    first: float = field(default=2.0, validator=number(0.001, 86_400))
    growth: float = field(default=1.5, validator=number(1, 10))
    longest: float = field(default=30.0, validator=number(0.001, 86_400))
    jitter: float = field(default=0.2, validator=number(0, 0.9))
    stalled_after: float = field(default=1800.0, validator=number(1))
    remember: float = field(default=600.0, validator=number(0))
    sweep: Literal["auto", "never"] = "auto"

    def __attrs_post_init__(self) -> None:
        if self.sweep not in ("auto", "never"):
            raise refuse(self, "sweep", self.sweep, "'auto' or 'never' is wanted")
        if self.longest < self.first:
            raise refuse(self, "longest", self.longest, f"it may not be below first, which is {self.first:g}")


@frozen(kw_only=True)
class Limits:
    """What may be under way at once: POSTs that wait for their answer, and files being carried.

    `calls_per_second` is the most that this session calls the API, whatever the service allows. `unproven` is how
    many requests a model may have while none was seen to leave the queue: some accept requests and never run them.
    `file_size` is the most bytes that a file may have on disk, 4 GiB: a body without an end is broken off there.
    """

    submissions: int = field(default=32, validator=count(1))
    downloads: int = field(default=16, validator=count(1))
    calls_per_second: float | None = field(default=None, validator=optional(number(0.01, 100_000)))
    unproven: int | None = field(default=None, validator=optional(count(1)))
    file_size: int = field(default=4 * 2**30, validator=count(1, 2**62))


@frozen(kw_only=True)
class Resubmit:
    """Allows up to `at_most` second POSTs per session, each after complete lists over the whole time to
    settle showed no trace of the first. If the service runs the first one later still, both are charged.
    """  # noqa: D205  # one thought

    at_most: int = field(validator=count(0))


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


def _is_plain(value: object) -> bool:
    return isinstance(value, str) and bool(value) and value.isascii() and value.isprintable()


def _check_organization(_owner: object, _attribute: object, value: Any) -> None:
    if value is not None and not _is_plain(value):
        message = (
            "Settings.organization is an organisation's id, printable ASCII, as sent in X-Organization-ID"
        )
        raise ConfigurationError(message)


def _url(value: object) -> object:
    return value.strip().rstrip("/") if isinstance(value, str) and not isinstance(value, _Assumed) else value


def _check_url(owner: "Settings", attribute: "Attribute[Any]", value: Any) -> None:
    if value is None and attribute.name == "catalog_url":
        return
    if (secret := hides(value)) is not None:
        message = f"Settings.{attribute.name} {secret}"
        raise ConfigurationError(message)
    what = wrong(value, owner.door, catalog=attribute.name == "catalog_url")
    if what is not None:
        raise refuse(owner, attribute.name, value, what)


@frozen(kw_only=True)
class Settings:
    """What a `Session` is told. Times are seconds; wrong values fail here and name field and value.

    `api_key` is a string, or an async callable that is asked for one, and again after a 401. What is not
    given here is taken from the environment by `Session` (`GMI_API_KEY`, `GMI_ORG_ID`, `GMI_BASE_URL`).

    `door` is the way to the queue: "apikey", "console" (a person's `login`, from `GMI_CLOUD_EMAIL` and
    `GMI_CLOUD_PASSWORD` where it is not given) or "early" (the vendor's first page; its list of models is at
    `catalog_url`). Where it is not given, what is set decides, and `chosen` says which door it was, and why.

    `on_uncertain` says what to do where the answer to a submission was lost: "reconcile" looks for it in the
    list for up to `settle` seconds and never posts again; "raise" does not look; `Resubmit(at_most=N)` may post
    again. `writers="shared"` says that other processes submit equal payloads on this account, so that an equal
    record proves nothing. `disambiguate="seed"` gives each payload a random seed of its own, where the model
    has one and the caller gave none. `check` holds payloads against the model's schema before they are sent:
    "warn" refuses what the service certainly would and warns of the rest, "strict" refuses both, "off" asks
    for no schema.

    `wait` is how long a submission may stand before limits; then it raises `RateLimited` and nothing was sent. With
    `wait`, or in the lane "bulk", a 429 is waited for as well; else it is raised. `lane`: of five calls that wait,
    four "interactive" ones go before one in "bulk". `storage_hosts`, where it is given, are the only hosts that files are
    fetched from and sent to, redirects included: "storage.googleapis.com" is the vendor's.
    """

    api_key: str | KeySource | None = field(
        default=None, converter=_key, validator=_check_key, repr=lambda key: "<set>" if key else "None"
    )
    organization: str | None = field(
        default=None, validator=_check_organization, repr=lambda name: "<set>" if name else "None"
    )
    door: DoorName = field(default=_Assumed("apikey"))
    login: Login | None = field(default=None)
    base_url: str = field(default=_Assumed(DEFAULT_BASE_URL), converter=_url, validator=_check_url)
    catalog_url: str | None = field(default=None, converter=_url, validator=_check_url)
    concurrency: int = field(default=64, validator=count(1))
    timeout: float = field(default=30.0, validator=number(0.001, 86_400))
    submit_timeout: float = field(default=600.0, validator=number(0.001, 86_400))
    on_uncertain: Literal["raise", "reconcile"] | Resubmit = "reconcile"
    settle: float = field(default=120.0, validator=number(0, 86_400))
    writers: Literal["alone", "shared"] = "alone"
    disambiguate: Literal["seed"] | None = None
    check: Literal["strict", "warn", "off"] = "warn"
    wait: float | None = field(default=None, validator=optional(number(0, 86_400)))
    lane: Literal["interactive", "bulk"] = "interactive"
    limits: Limits = field(factory=Limits)
    patience: Patience = field(factory=Patience)
    pace: Pace = field(factory=Pace)
    storage_hosts: tuple[str, ...] | None = field(default=None, validator=optional(hosts))
    user_agent: str = field(default="gmi_video/0.1")
    chosen: str = field(default="", eq=False)

    @door.validator
    def _check_door(self, _attribute: object, value: object) -> None:
        if value not in DOOR_NAMES:
            raise refuse(self, "door", value, "'apikey', 'console' or 'early' is wanted")
        if isinstance(self.base_url, _Assumed):  # an address that nobody gave is that of the door
            object.__setattr__(self, "base_url", _Assumed(ADDRESSES[self.door].queue))

    @login.validator
    def _check_login(self, _attribute: object, value: object) -> None:
        if value is None or (isinstance(value, Login) and (value.complete or value.keep is not None)):
            return
        message = "Settings.login is a Login(…) with an e-mail and a password, or with a token kept before"
        raise ConfigurationError(message)

    @user_agent.validator
    def _check_user_agent(self, _attribute: object, value: Any) -> None:
        if not _is_plain(value):
            raise refuse(self, "user_agent", value, "printable ASCII is wanted")

    def __attrs_post_init__(self) -> None:
        if not isinstance(self.on_uncertain, Resubmit) and self.on_uncertain not in ("raise", "reconcile"):
            what = "'raise', 'reconcile' or Resubmit(at_most=…) is wanted"
            raise refuse(self, "on_uncertain", self.on_uncertain, what)
        if self.writers not in ("alone", "shared"):
            raise refuse(self, "writers", self.writers, "'alone' or 'shared' is wanted")
        if self.lane not in ("interactive", "bulk"):
            raise refuse(self, "lane", self.lane, "'interactive' or 'bulk' is wanted")
        if self.check not in ("strict", "warn", "off"):
            raise refuse(self, "check", self.check, "'strict', 'warn' or 'off' is wanted")
        if self.disambiguate not in (None, "seed"):
            raise refuse(self, "disambiguate", self.disambiguate, "'seed' or None is wanted")

    @limits.validator
    @patience.validator
    @pace.validator
    def _check_group(self, attribute: "Attribute[Any]", value: object) -> None:
        wanted = {"limits": Limits, "patience": Patience, "pace": Pace}[attribute.name]
        if not isinstance(value, wanted):
            raise refuse(self, attribute.name, value, f"a {wanted.__name__}(…) is wanted")

    def completed(self, environ: Mapping[str, str]) -> "Settings":
        """These settings, with what was not given taken from `environ`; what was given stays."""
        said = _choice.said_in(environ)
        found: dict[str, Any] = {}
        base_url = said.get("GMI_BASE_URL") if isinstance(self.base_url, _Assumed) else self.base_url
        if base_url is not None:
            found["base_url"] = base_url
        door: str = self.door
        if isinstance(door, _Assumed):
            has_key, has_login = self.api_key is not None, self.login is not None
            door, why = _choice.door_of(said, base_url=base_url, key=has_key, login=has_login)
            found |= {"door": door, "chosen": f"the {door} door, because {why}"}
        elif not self.chosen:
            found["chosen"] = f"the {door} door, because Settings names it"
        if self.api_key is None and door != "console":
            found["api_key"] = said.get(_choice.key_variable(said) or "")
        elif self.api_key is None and self.login is None and {EMAIL_VARIABLE, PASSWORD_VARIABLE} <= set(said):
            found["login"] = Login(email=said[EMAIL_VARIABLE], password=said[PASSWORD_VARIABLE])
        if door != "console" and self.login is not None and not (self.api_key or found.get("api_key")):
            message = f"Settings.login opens the console door, but it is {found.get('chosen') or self.chosen}; leave that out"
            raise ConfigurationError(message)
        if self.organization is None:
            found["organization"] = said.get("GMI_ORG_ID")
        if self.catalog_url is None:
            found["catalog_url"] = said.get("GMI_CATALOG_URL")
        return evolve(self, **found)

    @classmethod
    def from_env(cls, environ: Mapping[str, str], **given: Any) -> "Settings":
        """Settings from a mapping such as `os.environ`; what is `given` wins."""
        return cls(**given).completed(environ)
