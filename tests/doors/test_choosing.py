"""Which door is taken: by name, by what was given, by what the environment says; and what is refused."""

import copy
import pickle
from typing import Any

import pytest
from attrs import evolve

from gmi_video import Login
from gmi_video._door import DOORS
from gmi_video.errors import ConfigurationError
from gmi_video.settings import DEFAULT_BASE_URL, Settings

BOTH = {"GMI_CLOUD_EMAIL": "ada@example.com", "GMI_CLOUD_PASSWORD": "password-canary"}
ADA = Login(email="ada@example.com", password="password-canary")
CONSOLE = "https://console.gmicloud.ai/api/v1/ie/requestqueue"
EARLY = "https://queue.gmi-serving.com/video"


@pytest.mark.parametrize(
    ("environ", "given", "door", "why"),
    [
        ({}, {}, "apikey", "nothing else is set"),
        ({"GMI_API_KEY": "k"}, {}, "apikey", "GMI_API_KEY is set"),
        ({"GMI_CLOUD_APIKEY": "k"}, {}, "apikey", "GMI_CLOUD_APIKEY is set"),
        (BOTH, {}, "console", "GMI_CLOUD_EMAIL and GMI_CLOUD_PASSWORD are set"),
        ({**BOTH, "GMI_API_KEY": "k"}, {}, "apikey", "which goes before GMI_CLOUD_EMAIL"),
        ({"GMI_CLOUD_EMAIL": "a", "GMI_CLOUD_PASSWORD": " "}, {}, "apikey", "nothing else is set"),
        (BOTH, {"api_key": "k"}, "apikey", "Settings has an api_key"),
        ({"GMI_API_KEY": "k"}, {"login": ADA}, "console", "Settings has a login"),
        ({"GMI_API_KEY": "k", "GMI_DOOR": "early"}, {}, "early", "GMI_DOOR names it"),
        ({**BOTH, "GMI_API_KEY": "k", "GMI_DOOR": "console"}, {}, "console", "GMI_DOOR names it"),
        ({"GMI_API_KEY": "k", "GMI_BASE_URL": EARLY}, {}, "early", "the base URL is its host"),
        ({"GMI_API_KEY": "k"}, {"base_url": EARLY}, "early", "the base URL is its host"),
        ({"GMI_DOOR": "early"}, {"door": "console"}, "console", "Settings names it"),
    ],
)
def test_what_is_set_chooses_the_door_and_is_named(
    environ: dict[str, str], given: dict[str, Any], door: str, why: str
) -> None:
    """The choice is told with its reason, and no value of a variable stands in it."""
    settings = Settings.from_env(environ, **given)

    assert settings.door == door
    assert settings.chosen.startswith(f"the {door} door, because ")
    assert why in settings.chosen
    assert "canary" not in repr(settings)


def test_each_door_has_its_own_address() -> None:
    """Who names a door and no address gets the vendor's own for it."""
    assert Settings().base_url == DEFAULT_BASE_URL
    assert Settings(door="console").base_url == CONSOLE
    assert Settings(door="early").base_url == EARLY
    assert evolve(Settings(), door="console").base_url == CONSOLE
    assert Settings.from_env(BOTH).base_url == CONSOLE
    assert evolve(Settings(base_url="https://a.example.com/ie/requestqueue"), door="console").base_url == (
        "https://a.example.com/ie/requestqueue"
    )


def test_a_key_is_not_taken_where_a_login_is_wanted_nor_the_other_way_round() -> None:
    """Each door takes what opens it, and leaves the rest of the environment alone."""
    environ = {**BOTH, "GMI_API_KEY": "k"}
    key, console = Settings.from_env(environ), Settings.from_env(environ, door="console")

    assert (key.api_key, key.login) == ("k", None)
    assert (console.api_key, console.login) == (None, ADA)


def test_completing_twice_changes_nothing() -> None:
    """Settings from the environment are handed to a session, which completes them again."""
    once = Settings.from_env(BOTH)

    assert once.completed({"GMI_API_KEY": "another"}) == once
    assert once.completed({}).chosen == once.chosen


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"door": "back"}, r"Settings\.door is 'back'; 'apikey', 'console' or 'early' is wanted"),
        ({"door": None}, r"Settings\.door is None"),
        ({"login": "ada"}, r"Settings\.login is a Login"),
        ({"login": Login(email="ada@example.com")}, r"Settings\.login is a Login"),
        ({"door": "console", "base_url": DEFAULT_BASE_URL}, r"ends in '/ie/requestqueue'"),
        ({"door": "early", "base_url": "https://api.gmi-serving.com/video"}, r"chat endpoint.*queue\.gmi"),
        (
            {"door": "early", "catalog_url": "http://a.example.com/video"},
            r"Settings\.catalog_url.*https only",
        ),
        ({"catalog_url": "https://u:secret@a.example.com"}, r"Settings\.catalog_url holds credentials"),
    ],
)
def test_a_wrong_door_is_refused_by_name(given: dict[str, Any], sentence: str) -> None:
    """What cannot be is refused where it is given, with what would be right."""
    with pytest.raises(ConfigurationError, match=sentence):
        Settings(**given)


def test_a_wrong_door_of_the_environment_is_refused() -> None:
    """A misspelt name does not fall back to another door."""
    with pytest.raises(ConfigurationError, match=r"Settings\.door is 'consol'"):
        Settings.from_env({"GMI_DOOR": "consol"})


@pytest.mark.parametrize(
    ("environ", "given"), [({}, {"door": "apikey"}), ({}, {"door": "early"}), ({"GMI_DOOR": "early"}, {})]
)
def test_a_login_goes_to_no_other_door(environ: dict[str, str], given: dict[str, Any]) -> None:
    """A password is never sent where no account is: a login beside another door is refused."""
    with pytest.raises(ConfigurationError, match="login opens the console door") as caught:
        Settings.from_env(environ, login=ADA, **given)

    assert "canary" not in str(caught.value)
    assert Settings.from_env({"GMI_API_KEY": "k"}, login=ADA, door="apikey").api_key == "k"


def test_a_password_keeps_its_blanks() -> None:
    """Blanks may belong to a password; the end of the line of the file it came from does not."""
    login = Settings.from_env({**BOTH, "GMI_CLOUD_PASSWORD": " password-canary \n"}).login

    assert login is not None
    assert login.password == " password-canary "


@pytest.mark.parametrize(("door", "variable"), [("apikey", "GMI_API_KEY"), ("console", "GMI_CLOUD_EMAIL")])
def test_what_is_missing_is_named_by_its_door(door: str, variable: str) -> None:
    """Each door says what opens it."""
    assert variable in DOORS[door].wants  # type: ignore[index]  # a parameter of a test is a str


def test_a_login_is_shown_to_nobody() -> None:
    """Neither e-mail nor password is in a repr; copies keep them, and pickling is refused."""
    settings = Settings(door="console", login=ADA)

    assert "ada@" not in repr(settings)
    assert "canary" not in repr(settings) + repr(ADA)
    assert copy.deepcopy(settings) == settings
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(settings)


def test_the_key_stays_with_the_service_that_was_named() -> None:
    """Beside another queue than the vendor's, the list of models is not asked of the vendor."""
    door = DOORS["early"]
    vendors, own = Settings(door="early"), Settings(door="early", base_url="https://a.example.com/video")
    apart = evolve(own, catalog_url="https://b.example.com/video")

    urls = [door.sign(door.models_call(), settings, "k").url for settings in (vendors, own, apart)]

    assert urls == [
        "https://api.gmi-serving.com/video/models",
        "https://a.example.com/video/models",
        "https://b.example.com/video/models",
    ]
