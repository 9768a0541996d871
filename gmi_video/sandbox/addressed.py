"""Settings with which a session finds a sandbox, at each of its doors."""

from typing import Literal

from gmi_video.login import Login
from gmi_video.sandbox.server import Sandbox
from gmi_video.settings import Settings


def settings_at(sandbox: Sandbox, door: Literal["apikey", "console", "early"]) -> Settings:
    """The address of a door and what opens it; a one-time code is the sandbox's own, whatever it is by then."""
    match door:
        case "apikey":
            return Settings(api_key=sandbox.api_key, base_url=sandbox.url)
        case "console":
            return Settings(door=door, login=_login(sandbox), base_url=sandbox.console_url)
        case "early":
            return Settings(
                door=door,
                api_key=sandbox.api_key,
                base_url=sandbox.early_url,
                catalog_url=sandbox.catalog_url,
            )


def _login(sandbox: Sandbox) -> Login:
    async def code(_attempt: int) -> str:
        return sandbox.one_time_code or ""

    email, password = sandbox.login
    return Login(email=email, password=password, one_time_code=code)
