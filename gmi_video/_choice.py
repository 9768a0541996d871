"""Which door is taken, and why: the one place that chooses. Pure; the environment is handed in."""

from collections.abc import Mapping

from gmi_video._address import door_at
from gmi_video.login import EMAIL_VARIABLE, PASSWORD_VARIABLE

KEY_VARIABLES = ("GMI_API_KEY", "GMI_CLOUD_API_KEY", "GMI_CLOUD_APIKEY")
"""Environment variables that may hold the key, the first one set wins; all three are in use by others."""
DOOR_VARIABLE = "GMI_DOOR"
VARIABLES = frozenset(
    {*KEY_VARIABLES, EMAIL_VARIABLE, PASSWORD_VARIABLE, DOOR_VARIABLE}
    | {"GMI_ORG_ID", "GMI_BASE_URL", "GMI_CATALOG_URL"}
)
"""All that is read of the environment."""


def said_in(environ: Mapping[str, str]) -> dict[str, str]:
    """What the environment says, without blanks; an empty variable is as good as none.

    A password may begin or end with a blank; only the line's end that a file left there is taken away.
    """
    return {
        name: value.strip("\r\n" if name == PASSWORD_VARIABLE else None)
        for name, value in environ.items()
        if name in VARIABLES and value.strip()
    }


def key_variable(said: Mapping[str, str]) -> str | None:
    """The variable that the key is taken from, or None where none is set."""
    return next((name for name in KEY_VARIABLES if name in said), None)


def door_of(said: Mapping[str, str], *, base_url: str | None, key: bool, login: bool) -> tuple[str, str]:
    """The door that was not named in `Settings`, and why it is this one.

    What was given to `Settings` (a base URL, a key, a login) goes before the environment, and a key before a
    login: the key is what the vendor means programs to use.
    """
    both = EMAIL_VARIABLE in said and PASSWORD_VARIABLE in said
    variable = key_variable(said)
    named, stands = said.get(DOOR_VARIABLE), door_at(base_url)
    beside = f", which goes before {EMAIL_VARIABLE} and {PASSWORD_VARIABLE}" if both else ""
    reasons: tuple[tuple[object, str | None, str], ...] = (
        (named, named, f"{DOOR_VARIABLE} names it"),
        (stands, stands, "the base URL is its host"),
        (key, "apikey", "Settings has an api_key"),
        (login, "console", "Settings has a login"),
        (variable, "apikey", f"{variable} is set{beside}"),
        (both, "console", f"{EMAIL_VARIABLE} and {PASSWORD_VARIABLE} are set, and no key is"),
    )
    found = ((door, why) for said_so, door, why in reasons if said_so and door)
    return next(found, ("apikey", "nothing else is set"))
