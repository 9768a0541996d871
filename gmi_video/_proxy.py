"""Which proxy a call goes through, read from the environment by us: aiohttp's own way reads `~/.netrc` too, and
sends what it finds there to any host.
"""  # noqa: D205  # one thought

import urllib.request
from collections.abc import Mapping
from urllib.parse import urlsplit

from gmi_video.errors import ConfigurationError
from gmi_video.settings import Secret, is_loopback


def proxies() -> dict[str, str]:
    """The proxies that the environment names (HTTPS_PROXY, ALL_PROXY), by scheme, and under "no" who goes direct.

    Empty where no proxy is named. Raises `ConfigurationError` for one that is not an HTTP proxy; the sentence
    does not show its password.
    """
    named = urllib.request.getproxies_environment()
    found: dict[str, str] = {
        scheme: Secret(named[scheme]) for scheme in ("http", "https", "all") if named.get(scheme)
    }
    for scheme, url in found.items():
        kind = urlsplit(url).scheme if "://" in url else "http"
        if kind != "http":
            message = (
                f"the environment names a {kind} proxy for {scheme}; only http:// proxies are supported here"
            )
            raise ConfigurationError(message)
        found[scheme] = url if "://" in url else Secret(f"http://{url}")
    return found | {"no": named.get("no", "")} if found else {}


def proxy_for(url: str, known: Mapping[str, str]) -> str | None:
    """The proxy for a link, or None for the direct way: as NO_PROXY has it, and always to this machine itself."""
    parts = urlsplit(url)
    proxy = known.get(parts.scheme) or known.get("all")
    if proxy is None or is_loopback(parts.hostname):
        return None
    bypassed = urllib.request.proxy_bypass_environment(parts.netloc, dict(known))  # type: ignore[attr-defined]  # not in typeshed
    return None if bypassed else proxy
