"""The settings of every command: from the environment, else from the login that was kept."""

import os

from attrs import evolve

from gmi_video.cli import ask
from gmi_video.cli.kept import Kept
from gmi_video.login import Login
from gmi_video.settings import Settings


def settings() -> Settings:
    """What the environment says; where it opens no door, the login that `gmi-video login` kept.

    Raises `ConfigurationError`.
    """
    said = Settings.from_env(os.environ)
    if said.login is not None:
        return evolve(said, login=evolve(said.login, one_time_code=ask.code))
    by_key = said.door == "early" or os.environ.get("GMI_DOOR", "").strip() == "apikey"
    if said.api_key is not None or by_key:
        return said
    kept = Kept.found()
    if kept is None or os.environ.get("GMI_BASE_URL", kept.base_url).strip().rstrip("/") != kept.base_url:
        return said
    return Settings(
        door="console",
        login=Login(keep=kept),
        base_url=kept.base_url,
        organization=said.organization,
        chosen="the console door, because `gmi-video login` kept a login",
    )
