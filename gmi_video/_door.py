"""A door: one way to the queue as a value of routes, readers and a header maker. Three of them, chosen by name.

Everything behind a door is the same queue; so nobody else asks which door it is.
"""

from collections.abc import Callable, Mapping
from typing import Any

from attrs import evolve, frozen

from gmi_video import _account, _early, wire
from gmi_video._address import ADDRESSES, DoorName, account_at
from gmi_video._choice import KEY_VARIABLES
from gmi_video._offered import Offered, read_offered
from gmi_video.errors import ConfigurationError
from gmi_video.records import Snapshot, VideoRequest
from gmi_video.settings import Settings
from gmi_video.wire import Call, Page, Reply, signed

Sign = Callable[[Call, Settings, str | None], Call]


def _whole(_: Snapshot) -> None:
    """One answer says all of a request; no result is asked for."""


def _as_it_was(snapshot: Snapshot, _: Call, __: Reply) -> Snapshot:
    return snapshot


@frozen(kw_only=True)
class Door:
    """How to ask, and how to read the answer. A look that needs a second call has its `result_call`."""

    name: DoorName
    lists: bool = True
    """Whether there is a list of requests: without one there are no sweeps, and a lost submission stays lost."""
    wants: str
    """What to do where no key and no login was given."""
    submit_call: Callable[[VideoRequest], Call] = wire.submit_call
    snapshot_call: Callable[[str], Call] = wire.snapshot_call
    result_call: Callable[[Snapshot], Call | None] = _whole
    requests_call: Callable[..., Call] = wire.requests_call
    models_call: Callable[[], Call] = wire.models_call
    model_call: Callable[[str], Call] = wire.model_call
    profile_call: Callable[[], Call]
    read_submission: Callable[[Call, Reply], Snapshot] = wire.read_submission
    read_snapshot: Callable[[Call, Reply], Snapshot] = wire.read_snapshot
    read_result: Callable[[Snapshot, Call, Reply], Snapshot] = _as_it_was
    read_requests: Callable[[Call, Reply], Page] = wire.read_requests
    read_offered: Callable[[Call, Reply], Offered] = read_offered
    sign: Sign


def _absent(what: str) -> Callable[..., Any]:
    """The route of something that a door does not have."""

    def refuse(*_: object, **__: object) -> Call:
        raise ConfigurationError(what)

    return refuse


def _sign(
    call: Call, settings: Settings, key: str | None, *, base_url: str = "", scheme: str = "Bearer"
) -> Call:
    paid = call.operation == "submit"
    return signed(
        call,
        base_url=base_url or settings.base_url,
        key=key,
        organization=settings.organization,
        user_agent=settings.user_agent,
        timeout=settings.submit_timeout if paid else settings.timeout,
        scheme=scheme,
    )


def _by_key(call: Call, settings: Settings, key: str | None) -> Call:
    return _sign(call, settings, key)


def _whole_models() -> Call:
    """Hundreds of models with all there is to say of each are as long as a page of requests."""
    return evolve(wire.models_call(), cap=wire.LIST_CAP)


_OF_THE_ACCOUNT = frozenset({"login", "refresh", "profile"})


def _by_session(call: Call, settings: Settings, key: str | None) -> Call:
    """The client's name goes with every call; those about the account stand beside the queue."""
    name, value = _account.CLIENT
    named = evolve(call, headers={**call.headers, name: value})
    beside = call.operation in _OF_THE_ACCOUNT
    return _sign(named, settings, key, base_url=account_at(settings.base_url) if beside else "")


def _of_the_page(call: Call, settings: Settings, key: str | None) -> Call:
    """The queue takes `Key`; the list of models is at the other host, and takes `Bearer`. There are no uploads."""
    if call.operation == "upload":
        raise ConfigurationError(_NO_UPLOADS)
    if call.operation == "models":
        return _sign(call, settings, key, base_url=_catalog_at(settings))
    return _sign(call, settings, key, scheme="Key")


def _catalog_at(settings: Settings) -> str:
    """Where the models are listed. Beside another queue than the vendor's, the key does not go to the vendor."""
    vendors = ADDRESSES[settings.door]
    own = vendors.catalog if settings.base_url == vendors.queue else None
    return settings.catalog_url or own or settings.base_url


_KEYS = (
    "no API key: make one at https://console.gmicloud.ai (organization settings, API keys) and set "
    f"GMI_API_KEY, or pass Settings(api_key=…); looked for {', '.join(KEY_VARIABLES[:-1])} or {KEY_VARIABLES[-1]}"
)
_NO_PROFILE = (
    "only a login has a profile: it is asked for at the console door (Settings(door='console', login=…))"
)

_NO_UPLOADS = (
    "the early page takes no uploads: give a public link, or Inline(path) for the file itself in the payload, or "
    "take the apikey or the console door"
)

DOORS: Mapping[DoorName, Door] = {
    "apikey": Door(
        name="apikey",
        wants=f"{_KEYS}; or log in: set GMI_CLOUD_EMAIL and GMI_CLOUD_PASSWORD, or pass Settings(login=…)",
        profile_call=_absent(_NO_PROFILE),
        sign=_by_key,
    ),
    "console": Door(
        name="console",
        wants="no login: set GMI_CLOUD_EMAIL and GMI_CLOUD_PASSWORD, or pass Settings(login=Login(email=…, "
        "password=…)); an API key is for the apikey door",
        models_call=_whole_models,
        profile_call=_account.profile_call,
        sign=_by_session,
    ),
    "early": Door(
        name="early",
        lists=False,
        wants=_KEYS,
        submit_call=_early.submit_call,
        snapshot_call=_early.snapshot_call,
        result_call=_early.result_call,
        requests_call=_absent(
            "the early page has no list of requests; take the apikey or the console door for it"
        ),
        model_call=_absent("the early page describes no model; take the apikey or the console door for it"),
        profile_call=_absent(_NO_PROFILE),
        read_submission=_early.read_submission,
        read_snapshot=_early.read_status,
        read_result=_early.read_result,
        sign=_of_the_page,
    ),
}


def door_of(settings: Settings) -> Door:
    """The door that settings name."""
    return DOORS[settings.door]
