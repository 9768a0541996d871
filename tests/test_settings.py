"""Settings: what is refused and how, what the environment may say, and what is never shown."""

import copy
import pickle
from typing import Any

import pytest
from attrs import evolve

from gmi_video.errors import ConfigurationError
from gmi_video.settings import (
    DEFAULT_BASE_URL,
    Limits,
    Pace,
    Patience,
    Resubmit,
    Settings,
    is_loopback,
)

CANARY = "canary-7f3a"


async def _source() -> str:
    return CANARY


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        (kind, name, value)
        for kind, names in {
            Settings: ("concurrency", "timeout", "submit_timeout", "settle"),
            Resubmit: ("at_most",),
            Limits: ("submissions", "downloads"),
            Patience: ("attempts", "first", "growth", "longest", "jitter"),
            Pace: ("first", "growth", "longest", "jitter", "stalled_after", "remember"),
        }.items()
        for name in names
        for value in (-1, "5", None, True, float("nan"))
    ],
)
def test_a_wrong_number_is_refused_by_name(kind: type, name: str, value: object) -> None:
    """Each number that is no number, or out of its range, is refused with class, field and value."""
    with pytest.raises(ConfigurationError) as caught:
        kind(**{name: value})

    assert f"{kind.__name__}.{name} is {value!r}" in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        (Settings, {"concurrency": 0}),
        (Settings, {"concurrency": 1.5}),
        (Settings, {"concurrency": 100_001}),
        (Settings, {"timeout": 0}),
        (Settings, {"timeout": float("inf")}),
        (Settings, {"user_agent": ""}),
        (Settings, {"user_agent": "a\r\nX-Evil: 1"}),
        (Settings, {"user_agent": "ü"}),
        (Settings, {"user_agent": 5}),
        (Settings, {"on_uncertain": "retry"}),
        (Settings, {"on_uncertain": []}),
        (Settings, {"on_uncertain": 5}),
        (Settings, {"writers": "many"}),
        (Settings, {"writers": []}),
        (Settings, {"disambiguate": "prompt"}),
        (Settings, {"disambiguate": []}),
        (Settings, {"on_uncertain": None}),
        (Settings, {"writers": None}),
        (Settings, {"limits": {"submissions": 3}}),
        (Settings, {"patience": None}),
        (Settings, {"pace": 5}),
        (Settings, {"base_url": None}),
        (Settings, {"base_url": "console.gmicloud.ai"}),
        (Settings, {"base_url": "ftp://a.example.com"}),
        (Settings, {"base_url": "https://"}),
        (Settings, {"base_url": "https://a.example.com:port/x"}),
        (Settings, {"base_url": "https://[::1"}),
        (Settings, {"base_url": "https://a.example.com/x y"}),
        (Settings, {"base_url": "https://a.example.com/x\r\ny"}),
        (Settings, {"base_url": "https://ü.example.com/x"}),
        (Pace, {"first": 40}),
        (Pace, {"jitter": 1}),
        (Patience, {"growth": 0.5}),
        (Limits, {"downloads": 2.0}),
    ],
)
def test_a_wrong_value_is_refused_by_name(kind: type, given: dict[str, Any]) -> None:
    """A wrong value fails where it is given, and the sentence names the field."""
    field = "longest" if given == {"first": 40} else next(iter(given))

    with pytest.raises(ConfigurationError, match=rf"{kind.__name__}\.{field} "):
        kind(**given)


@pytest.mark.parametrize(
    "key", ["", "   ", f"{CANARY} x", f"{CANARY}\nx", f"{CANARY}ü", f"{CANARY}\x00", 5, b"x"]
)
def test_a_wrong_key_is_refused_without_being_shown(key: Any) -> None:
    """A key that cannot be one is refused by name, and the sentence does not hold it."""
    with pytest.raises(ConfigurationError, match=r"Settings\.api_key") as caught:
        Settings(api_key=key)

    assert CANARY not in repr(caught.value)


@pytest.mark.parametrize("organization", ["", f"{CANARY}\r\n", f"{CANARY}ü", 5])
def test_a_wrong_organization_is_refused_without_being_shown(organization: Any) -> None:
    """An organisation that cannot stand in a header is refused by name, and not shown."""
    with pytest.raises(ConfigurationError, match=r"Settings\.organization") as caught:
        Settings(organization=organization)

    assert CANARY not in repr(caught.value)


@pytest.mark.parametrize(
    "url", [f"https://u:{CANARY}@a.example.com/x", f"https://a.example.com/x?t={CANARY}"]
)
def test_a_url_with_secrets_is_refused_without_being_shown(url: str) -> None:
    """Credentials or a query in the base URL are refused, and the sentence does not hold them."""
    with pytest.raises(ConfigurationError, match=r"Settings\.base_url") as caught:
        Settings(base_url=url)

    assert CANARY not in repr(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "https://api.gmi-serving.com/v1",
        "https://api.gmi-serving.com/v1/",
        "https://api.gmi-serving.com",
        "https://API.GMI-SERVING.COM/v1/chat/completions",
        "https://console.gmicloud.ai/api/v1",
        "https://proxy.example.com/v1/",
    ],
)
def test_the_chat_endpoint_is_refused_with_the_right_url(url: str) -> None:
    """The URL of the chat service is a common mistake: the sentence holds the one that is meant."""
    with pytest.raises(ConfigurationError, match="chat endpoint") as caught:
        Settings(base_url=url)

    assert DEFAULT_BASE_URL in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "http://a.example.com/x",
        "http://127.evil.example.com/x",
        "http://10.0.0.1/x",
        "http://localhost.a.com",
    ],
)
def test_the_key_travels_by_https_only(url: str) -> None:
    """Plain http to anything but this machine is refused, names that begin like it included."""
    with pytest.raises(ConfigurationError, match="https only"):
        Settings(base_url=url)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8080/api", "http://localhost:1", "http://[::1]:8080/x", "http://127.8.8.8/x"]
)
def test_http_is_for_this_machine(url: str) -> None:
    """On loopback plain http is allowed."""
    assert url == Settings(base_url=url).base_url


@pytest.mark.parametrize(
    "host", [None, "", "127.1", "0x7f.1", "2130706433", "a.example.com", "::ffff:10.0.0.1"]
)
def test_odd_spellings_are_no_loopback(host: str | None) -> None:
    """Only a full loopback address or `localhost` is this machine."""
    assert not is_loopback(host)


def test_a_url_loses_its_trailing_slash() -> None:
    """Blanks around the base URL and slashes at its end are taken off, so that paths can follow."""
    assert Settings(base_url="  https://a.example.com/x// ").base_url == "https://a.example.com/x"


@pytest.mark.parametrize(
    ("environ", "key"),
    [
        ({"GMI_API_KEY": "a", "GMI_CLOUD_API_KEY": "b", "GMI_CLOUD_APIKEY": "c"}, "a"),
        ({"GMI_CLOUD_API_KEY": "b", "GMI_CLOUD_APIKEY": "c"}, "b"),
        ({"GMI_CLOUD_APIKEY": "c"}, "c"),
        ({"GMI_API_KEY": "", "GMI_CLOUD_API_KEY": "  ", "GMI_CLOUD_APIKEY": " c\n"}, "c"),
        ({"OTHER": "x"}, None),
    ],
)
def test_the_first_key_variable_that_is_set_wins(environ: dict[str, str], key: str | None) -> None:
    """The variables are asked in their order; an empty one counts as not set."""
    assert key == Settings.from_env(environ).api_key


def test_the_environment_completes_what_was_not_given() -> None:
    """Organisation and base URL come from the environment where nobody gave them."""
    settings = Settings.from_env({"GMI_ORG_ID": "org", "GMI_BASE_URL": "https://a.example.com/x"}, timeout=5)

    assert (settings.organization, settings.base_url, settings.timeout) == (
        "org",
        "https://a.example.com/x",
        5,
    )


def test_what_was_given_wins_over_the_environment() -> None:
    """An explicit argument stays, whatever the environment says."""
    environ = {"GMI_API_KEY": "a", "GMI_ORG_ID": "org", "GMI_BASE_URL": "https://a.example.com"}
    settings = Settings(api_key="mine", organization="own", base_url="https://b.example.com").completed(
        environ
    )

    assert (
        settings.api_key,
        settings.organization,
        settings.base_url,
    ) == ("mine", "own", "https://b.example.com")


@pytest.mark.parametrize("url", [DEFAULT_BASE_URL, DEFAULT_BASE_URL + "/", str(DEFAULT_BASE_URL)])
def test_the_default_url_given_explicitly_wins_too(url: str) -> None:
    """Who says the default aloud means it: the environment does not replace it."""
    environ = {"GMI_BASE_URL": "https://a.example.com"}

    assert Settings(base_url=url).completed(environ).base_url == DEFAULT_BASE_URL


@pytest.mark.parametrize(
    "changed",
    [
        evolve(Settings(), timeout=5),
        copy.deepcopy(Settings()),
        copy.copy(Settings()),
        pickle.loads(pickle.dumps(Settings())),
    ],
)
def test_settings_that_were_copied_still_ask_the_environment(changed: Settings) -> None:
    """A base URL that nobody gave is still not given after a change of something else."""
    assert changed.completed({"GMI_BASE_URL": "https://a.example.com"}).base_url == "https://a.example.com"


def test_a_wrong_value_of_the_environment_is_refused() -> None:
    """The environment is checked like an argument."""
    with pytest.raises(ConfigurationError, match=r"Settings\.base_url"):
        Settings.from_env({"GMI_BASE_URL": "http://a.example.com"})


def test_a_callable_may_be_the_key() -> None:
    """An async callable is kept as it is, to be asked."""
    assert Settings(api_key=_source).api_key is _source


def test_what_to_do_about_a_lost_answer_is_a_word_or_an_allowance() -> None:
    """Each policy that is documented is taken, and none posts again unless it was allowed by number."""
    allowed = Settings(on_uncertain=Resubmit(at_most=0), writers="shared", disambiguate="seed")

    assert (Resubmit(at_most=0), "shared", "seed") == (
        allowed.on_uncertain,
        allowed.writers,
        allowed.disambiguate,
    )
    assert Settings(on_uncertain="raise").on_uncertain == "raise"
    assert (Settings().on_uncertain, Settings().writers, Settings().disambiguate) == (
        "reconcile",
        "alone",
        None,
    )


@pytest.mark.parametrize(
    "hosts", [(), "storage.googleapis.com", ("Storage.Example",), ("https://a.example",), (1,)]
)
def test_hosts_are_names_in_small_letters(hosts: Any) -> None:
    """What no link names could never be allowed."""
    with pytest.raises(
        ConfigurationError, match=r"Settings\.storage_hosts is .*a tuple of hosts in small letters"
    ):
        Settings(api_key="k", storage_hosts=hosts)
