"""Where each door stands, and what a base URL may be. Pure: what is wrong is said, not raised."""

from ipaddress import ip_address
from typing import Any, Literal, get_args
from urllib.parse import urlsplit

from attrs import frozen

DoorName = Literal["apikey", "console", "early"]
DOOR_NAMES: tuple[DoorName, ...] = get_args(DoorName)

CHAT_HOST = "api.gmi-serving.com"
"""Speaks the chat API; of the video queue it only has the early page's list of models."""
CONSOLE_PATH = "/ie/requestqueue"
"""Under the console's address the queue has this path; beside it stands the account, under `/me`."""


@frozen
class Address:
    """The vendor's own hosts of one door: the queue, and the list of models where that is elsewhere.

    `ends` is how the queue's address must end anywhere, for something else stands beside it.
    """

    queue: str
    catalog: str | None = None
    ends: str = ""


ADDRESSES: dict[DoorName, Address] = {
    "apikey": Address("https://console.gmicloud.ai/api/v1/ie/requestqueue/apikey"),
    "console": Address("https://console.gmicloud.ai/api/v1/ie/requestqueue", ends=CONSOLE_PATH),
    "early": Address("https://queue.gmi-serving.com/video", "https://api.gmi-serving.com/video"),
}
"""From the vendor's Video API Reference, its Python SDK, and its first page on video."""


def is_loopback(host: str | None) -> bool:
    """Whether `host` names this machine itself: the only place that may be spoken to without TLS."""
    try:
        return host is not None and (host.lower() == "localhost" or ip_address(host).is_loopback)
    except ValueError:  # another name, "127.evil.example.com" among them
        return False


def hides(value: object) -> str | None:
    """Why a URL must not even be shown: it may hold a secret. None where it may."""
    if isinstance(value, str) and any(sign in value for sign in "@?#"):
        return "holds credentials, a query or a fragment; give the bare prefix of the API"
    return None


def wrong(value: Any, door: DoorName, *, catalog: bool = False) -> str | None:
    """What is wrong with a base URL of a door (or with that of its list of models); None where it is right."""
    meant = ADDRESSES[door]
    example = meant.catalog if catalog and meant.catalog else meant.queue
    try:
        parts = urlsplit(value) if isinstance(value, str) else None
        host = parts.hostname if parts else None
        _ = parts.port if parts else None
    except ValueError:
        parts, host = None, None
    if isinstance(value, str) and not (value.isascii() and value.isprintable() and " " not in value):
        return "it holds signs that stand in no URL unescaped"
    if parts is None or not host or parts.scheme not in {"http", "https"}:
        return f"a URL like {example!r} is wanted"
    of_chat = host == CHAT_HOST and not catalog
    if of_chat or parts.path.rstrip("/") in {"/v1", "/api/v1"}:
        return f"that is the chat endpoint; the video queue is at {example!r}"
    if parts.scheme == "http" and not is_loopback(host):
        return "the key may travel by https only (http is for this machine)"
    if not catalog and not parts.path.endswith(meant.ends):
        return f"at the {door} door it ends in {meant.ends!r}, as in {example!r}"
    return None


def door_at(url: str | None) -> DoorName | None:
    """The door that stands at a base URL, where its host alone says so."""
    early = urlsplit(ADDRESSES["early"].queue).hostname
    return "early" if url is not None and urlsplit(url).hostname == early else None


def account_at(base_url: str) -> str:
    """The prefix of the account's own calls, beside the console door's queue."""
    return base_url.removesuffix(CONSOLE_PATH)
