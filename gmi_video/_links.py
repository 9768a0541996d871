"""Which links are followed, and what a file is called. Names come from ids and a list, never from the server."""

import hashlib
import ipaddress
import re
from collections.abc import Collection
from urllib.parse import quote, urljoin, urlsplit

from gmi_video.errors import UnsafeURL
from gmi_video.records import Media, without_query
from gmi_video.settings import Secret, is_loopback

_LONGEST = 8192
_NOT_PUBLIC = tuple(
    ipaddress.ip_network(name)
    for name in (
        *("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32", "::/96", "::ffff:0:0:0/96"),
        *("fec0::/10", "3fff::/20", "5f00::/16", "192.0.0.0/24"),
    )
)
"""What a gateway turns into IPv4 addresses, private ones among them (NAT64, 6to4, Teredo, and what IPv6 had before them),
and what is not public by a registry younger than an interpreter's own table, or retired (RFC 3879, 9637, 9602, 6890)."""
_NAME = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?")
_NUMBER = re.compile(r"0[xX][0-9a-fA-F]*|[0-9]+")
_INNER = ("internal", "local", "localhost", "lan", "intranet", "home", "corp", "arpa")
"""Last labels of names that lead to a private network or to this machine (RFC 6761, 6762, 8375; cloud metadata)."""
_DEVICES = frozenset(
    {"CON", "PRN", "AUX", "NUL", *(f"{name}{number}" for name in ("COM", "LPT") for number in range(10))}
)
"""Names that Windows keeps for devices, with any extension."""
_STEM = re.compile(r"[A-Za-z0-9_-]{1,128}")
"""Ids that can be names: all that the service gives. A record that was made by hand may say anything."""
_KEPT = "%/:=&?~#+!$,;'@()*[]"
_EXTENSIONS = frozenset(
    [
        "mp4",
        "webm",
        "mov",
        "mkv",
        "m4v",
        "avi",
        "png",
        "jpg",
        "jpeg",
        "webp",
        "gif",
        "avif",
        "mp3",
        "wav",
        "flac",
        "ogg",
        "m4a",
        "aac",
        "opus",
    ]
)
_PRIVATE = "it leads to a private address"
_TYPES = {
    "video/mp4": "mp4",
    "video/webm": "webm",
    "video/quicktime": "mov",
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/webp": "webp",
    "image/gif": "gif",
    "audio/mpeg": "mp3",
    "audio/wav": "wav",
    "audio/x-wav": "wav",
}
_USUAL = {"video": "mp4", "image": "png", "audio": "mp3"}


def vetted(url: str, *, loopback: bool, hosts: Collection[str] | None = None) -> Secret:
    """A link that may be followed, percent-encoded; raises `UnsafeURL` for any other.

    https only, no credentials, a port of https or above 1023; plain http only to this machine, and only where
    the API itself is on this machine (`loopback`). A host that is written as an address must be a public one,
    written plainly: the socket refuses private ones as well, but a proxy would not. Where `hosts` are given no other
    is followed.
    """
    url = Secret(url)  # a presigned query stands in no frame of a traceback that shows its locals
    why = _objection(url, loopback=loopback)
    if why is None and hosts is not None and (urlsplit(url).hostname or "").removesuffix(".") not in hosts:
        why = "its host is none of Settings.storage_hosts"
    if why is not None:
        message = f"{_shown(url)!r} is not followed: {why}"
        raise UnsafeURL(message)
    return Secret(quote(url, safe=_KEPT))


def _shown(url: str) -> str:
    """A link for people, without what may be a query that lost its sign."""
    return without_query(url[:200]).partition("&")[0]


def _objection(url: str, *, loopback: bool) -> str | None:
    """Why a link is not followed, or None where it is."""
    if len(url) > _LONGEST or not url.isprintable() or " " in url:
        return "it is too long or holds signs that no link has"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        parts, host, port = urlsplit(""), None, None
    if not host or parts.username is not None or parts.password is not None:
        return "it names no host, or carries credentials"
    inside = _inside(host, loopback=loopback)
    if inside is not None:
        return inside
    if parts.scheme == "http" and loopback and is_loopback(host):
        return None
    if parts.scheme != "https" or not (port is None or port == 443 or port > 1023):
        return "only https is, at its own port"
    return None


def _inside(host: str, *, loopback: bool) -> str | None:
    """Why a host, as it is written, leads nowhere public; None where its name has to be asked."""
    if ":" in host:
        return None if may_be_reached(host, loopback=loopback) and "%" not in host else _PRIVATE
    labels = host.removesuffix(".").split(".")
    if not _NAME.fullmatch(host.removesuffix(".")) or "" in labels:
        return "its host is no plain name; another alphabet may only look like the right one"
    if _NUMBER.fullmatch(
        labels[-1]
    ):  # the system's own reader takes 0x7f.1, 0177.1 and 2130706433 for addresses
        plain = may_be_reached(host, loopback=loopback)
        return None if plain else f"{_PRIVATE}, or to one that is not written plainly"
    if host.lower() == "localhost":
        return None if loopback else _PRIVATE
    return _PRIVATE if len(labels) == 1 or labels[-1].lower() in _INNER else None


def may_be_reached(address: str, *, loopback: bool) -> bool:
    """Whether a resolved address is public; this machine's own counts only where the API is on it as well."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address):
        found = found.ipv4_mapped or found
    if found.is_loopback:
        return loopback
    if any(found.version == network.version and found in network for network in _NOT_PUBLIC):
        return False
    return found.is_global and not found.is_multicast


def hop(url: str, location: str, *, loopback: bool, hosts: Collection[str] | None = None) -> Secret:
    """Where a redirect leads, vetted anew; raises `UnsafeURL`, also for one that does not say where."""
    url, location = Secret(url), Secret(location)
    if not location:
        message = f"{_shown(url)!r} redirects, and does not say where"
        raise UnsafeURL(message)
    try:
        return vetted(urljoin(url, location), loopback=loopback, hosts=hosts)
    except ValueError:  # its words may quote the link
        message = f"{_shown(url)!r} redirects to what is no link"
    raise UnsafeURL(message)


def extension(media: Media, content_type: str = "") -> str:
    """A known extension for a file: its link's, else its content type's, else the usual one of its kind."""
    found = _last_name(media.url).rpartition(".")[2].lower()
    if found in _EXTENSIONS:
        return found
    return _TYPES.get(content_type.partition(";")[0].strip().lower(), _USUAL[media.kind])


def _last_name(url: str) -> str:
    """What stands behind the last slash of a link's path; nothing where it is no link."""
    try:
        return urlsplit(url).path.rpartition("/")[2]
    except ValueError:
        return ""


def file_name(media: Media, request_id: str | None, index: int = 0) -> str:
    """The name of the `index`-th file of a request, from its id; without one, from a digest of the link."""
    stem = request_id or f"media-{_short(media.url)}"
    stem = stem if _STEM.fullmatch(stem) else f"request-{_short(stem)}"
    stem = f"request-{stem}" if stem.upper() in _DEVICES else stem
    return f"{stem}{f'-{index + 1}' if index else ''}.{extension(media)}"


def _short(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:12]
