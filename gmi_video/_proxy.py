"""Which proxy a call goes through, read from the environment by us: aiohttp's own way reads `~/.netrc` too, and
sends what it finds there to any host.
"""  # noqa: D205  # one thought

import urllib.request
from collections.abc import Mapping
from urllib.parse import urlsplit

from gmi_video.errors import ConfigurationError
from gmi_video.settings import Secret


def proxies() -> dict[str, str]:
    """The proxies that the environment names (HTTPS_PROXY, ALL_PROXY, NO_PROXY …), by scheme.

    Raises `ConfigurationError` for one that is not an HTTP proxy; the sentence does not show its password.
    """
    found = {scheme: Secret(url) for scheme, url in urllib.request.getproxies_environment().items()}
    for scheme, url in found.items():
        if scheme in {"https", "http", "all"} and urlsplit(url).scheme not in {"http", ""}:
            kind = urlsplit(url).scheme
            message = (
                f"the environment names a {kind} proxy for {scheme}; only http:// proxies are supported here"
            )
            raise ConfigurationError(message)
    return {scheme: _complete(url) for scheme, url in found.items()}


def _complete(url: str) -> str:
    return url if "://" in url else Secret(f"http://{url}")


def proxy_for(url: str, known: Mapping[str, str]) -> str | None:
    """The proxy for a link, or None for the direct way, as NO_PROXY has it."""
    parts = urlsplit(url)
    proxy = known.get(parts.scheme) or known.get("all")
    if proxy is None:
        return None
    bypassed = urllib.request.proxy_bypass_environment(parts.netloc, dict(known))  # type: ignore[attr-defined]  # not in typeshed
    return None if bypassed else proxy
