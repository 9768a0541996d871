"""What `doctor` makes of what it saw: the key described without being shown, and the usual mistakes. Pure."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from gmi_video import errors
from gmi_video.login import EMAIL_VARIABLE, PASSWORD_VARIABLE, claims, unix_seconds
from gmi_video.settings import KEY_VARIABLES, Settings

SKEW = 120.0
"""Seconds by which a clock may be wrong before it is worth a word."""
_INFRASTRUCTURE = "ce_resource"
"""The scope of keys for machines; `ie_model` is that of inference."""


def described(key: str, now: float) -> str:
    """What may be said of a key: its length, whether it is a JWT, its scope and its end; not one sign of it."""
    told = claims(key)
    parts = [f"{len(key)} characters"]
    if told:
        parts.append("a JWT")
    if isinstance(scope := told.get("scope"), str) and scope.isidentifier() and len(scope) < 40:
        parts.append(f"scope {scope}")
    if (dies := unix_seconds(told.get("exp"))) is not None:
        day = datetime.fromtimestamp(dies, UTC).date()
        parts.append(f"ended on {day}" if dies <= now else f"good until {day}")
    return ", ".join(parts)


def opener(settings: Settings, environ: Mapping[str, str], now: float) -> str:
    """What opens the door: the key or the login, and where it was found."""
    if isinstance(settings.api_key, str):
        name = next((name for name in KEY_VARIABLES if environ.get(name, "").strip()), "Settings")
        return f"the key in {name}: {described(settings.api_key, now)}"
    login = settings.login
    if login is None:
        return "nothing: neither a key nor a login was found"
    if login.complete:
        return f"the login in {EMAIL_VARIABLE} and {PASSWORD_VARIABLE}"
    return "the login that `gmi-video login` kept"


def of_settings(settings: Settings, environ: Mapping[str, str], now: float) -> Iterator[str]:
    """Mistakes that show before anything is sent."""
    key = settings.api_key
    if isinstance(key, str):
        if key[:1] in "\"'" or key.lower().startswith("bearer"):
            yield "the key begins with a quote or with 'Bearer': set the bare key"
        told = claims(key)
        dies = unix_seconds(told.get("exp"))
        if dies is not None and dies <= now:
            yield "the key has ended by its own date (keys live 30 days unless told otherwise): make a new one"
        if told.get("scope") == _INFRASTRUCTURE:
            yield "the key has the scope of infrastructure (ce_resource): make one with the scope of inference"
        if settings.base_url.endswith("/ie/requestqueue"):
            yield "this base URL is for a login; for an API key it ends in /ie/requestqueue/apikey"
    one = EMAIL_VARIABLE in environ, PASSWORD_VARIABLE in environ
    if any(one) and not all(one):
        yield f"only one of {EMAIL_VARIABLE} and {PASSWORD_VARIABLE} is set: a login needs both"


def of_error(error: errors.GmiVideoError, settings: Settings) -> Iterator[str]:
    """What usually lies behind a call that failed."""
    text = str(error)
    match error:
        case errors.Unauthorized() | errors.NotEntitled() if "1010" in text:
            yield (
                "Cloudflare, which stands before the service, refuses this client by its address or name: try "
                "another network, or another Settings(user_agent=…); the key or login is not to blame"
            )
        case errors.Unauthorized() if settings.login is not None:
            yield "the e-mail, the password or the one-time code was refused, or the login that was kept has ended"
        case errors.Unauthorized():
            yield (
                "the key is not known here: it has ended, was deleted, or is of another kind (it must have the "
                "scope of inference, ie_model); a console login is no key"
            )
        case errors.NotEntitled() if settings.organization is not None:
            yield "GMI_ORG_ID may name another organisation than the key's: a key belongs to one, so leave it out"
        case errors.NotFound() | errors.Rejected():
            yield "this is not the address of the video queue; leave GMI_BASE_URL out, or see docs/doors.md"
        case errors.MalformedResponse():
            yield "something else than the video queue answers at this address"
        case errors.Unreachable() if "certificate" in text:
            yield (
                "nobody whom this machine trusts has signed the certificate there; behind a proxy that opens TLS, name "
                "the file of its authority in SSL_CERT_FILE"
            )
        case errors.TransportError():
            yield "the service was not reached: the network, a proxy (HTTPS_PROXY), or the name in the base URL"


def of_skew(skew: float | None) -> Iterator[str]:
    """Whether the two clocks are too far apart."""
    if skew is not None and abs(skew) > SKEW:
        yield "this machine's clock is wrong: times of requests, and `list --since`, are off by as much"


def of_model(wanted: str, ids: tuple[str, ...]) -> Iterator[str]:
    """Whether a model's id is listed as it was written."""
    if not wanted or wanted in ids:
        return
    near = [name for name in ids if name.casefold() == wanted.casefold()]
    if near:
        yield f"there is no model {wanted!r}, but there is {near[0]!r}: upper and lower case count"
    else:
        yield f"there is no model {wanted!r} in the list; ids with dates change: gmi-video models {wanted[:8]}"
