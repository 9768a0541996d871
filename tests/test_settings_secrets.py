"""What settings never show, and where the key goes and does not go with them."""

import copy
import pickle
from typing import Any

import pytest

from gmi_video.settings import Secret, Settings

CANARY = "canary-7f3a"


async def _source() -> str:
    return CANARY


@pytest.mark.parametrize("show", [repr, str, lambda settings: f"{settings!r:}"])
@pytest.mark.parametrize("key", [CANARY, Secret(CANARY), _source, None])
def test_no_text_of_settings_shows_the_key(show: Any, key: Any) -> None:
    """Neither repr nor str of settings holds the key or the organisation."""
    settings = Settings(api_key=key, organization=CANARY)

    assert CANARY not in show(settings)
    assert ("<set>" if key else "None") in show(settings)


def test_settings_with_a_key_are_not_pickled() -> None:
    """Pickling a key is refused, and the refusal does not show it."""
    with pytest.raises(TypeError, match="not pickled") as caught:
        pickle.dumps(Settings(api_key=CANARY))

    assert CANARY not in str(caught.value)


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_settings_with_a_key_are_copied(copied: Any) -> None:
    """Copies in the same process keep the key, and keep it hidden."""
    settings = copied(Settings(api_key=f" {CANARY}\n", organization="org"))

    assert Settings(api_key=CANARY, organization="org") == settings
    assert CANARY not in repr(settings.api_key)
    assert {settings} == {Settings(api_key=CANARY, organization="org")}


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_a_secret_stays_one_when_copied(copied: Any) -> None:
    """A secret is the very same text, shown as `<secret>`, after any copy."""
    secret = copied(Secret(CANARY))

    assert (secret, repr(secret), str([repr(secret)])) == (CANARY, "<secret>", "['<secret>']")
    assert isinstance(secret, Secret)
