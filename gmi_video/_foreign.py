"""aiohttp's errors as ours. Their texts hold keys, presigned links and proxy passwords: nothing of them is taken
over but the class's name and the number of the operating system's error.
"""  # noqa: D205  # one thought

import errno

import aiohttp

from gmi_video import errors
from gmi_video.errors import GmiVideoError, Interrupted, TimedOut, TransportError, Unreachable
from gmi_video.wire import Call


class Broken(Exception):
    """Carries an error past aiohttp's own repetition."""

    # not an error of ours: it carries aiohttp's past its hidden repeat
    def __init__(self, foreign: BaseException) -> None:
        super().__init__()
        self.foreign = foreign


class PrivateAddressError(OSError):
    """The link leads to an address that is not public."""


FOREIGN = (aiohttp.ClientError, OSError, TimeoutError, Broken, ValueError)
_STORAGE = frozenset({"media", "put"})
_NEVER_CONNECTED = (
    aiohttp.ClientConnectorError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.ClientHttpProxyError,
    aiohttp.InvalidURL,
)


def mapped(error: BaseException, call: Call, *, sent: bool) -> GmiVideoError:
    """Our error for a foreign one, whose text is not taken over: it may hold the key or a presigned link."""
    foreign = error.foreign if isinstance(error, Broken) else error
    cause = type(foreign).__name__
    about = f"{call.operation} {call.subject}"
    if isinstance(foreign, PrivateAddressError) or isinstance(
        getattr(foreign, "os_error", None), PrivateAddressError
    ):
        return errors.UnsafeURL(f"{call.subject} leads to a private address, which is not followed")
    odd = isinstance(foreign, ValueError) and not isinstance(foreign, aiohttp.ClientConnectorCertificateError)
    if odd and call.operation in _STORAGE:
        return errors.UnsafeURL(f"{call.subject} is not a link that can be followed")
    unsent = not sent if call.operation == "submit" else isinstance(foreign, _NEVER_CONNECTED)
    if unsent:
        where = "the storage host" if call.operation in _STORAGE else "GMI"
        why = _reason(foreign)
        return Unreachable(
            f"{about}: {where} was not reached ({why}); nothing was sent",
            cause=cause,
            retryable=not _stays_so(foreign),
        )
    leaf: type[TransportError] = TimedOut if isinstance(foreign, TimeoutError) else Interrupted
    words = (
        f"no complete answer within {call.timeout:g} s"
        if leaf is TimedOut and call.timeout
        else "the connection broke before the answer was complete"
    )
    return leaf(f"{about}: {words}", cause=cause)


def _stays_so(foreign: BaseException) -> bool:
    """Whether trying again is vain: a certificate that is not accepted, a proxy that wants other credentials."""
    proxied = isinstance(foreign, aiohttp.ClientHttpProxyError) and foreign.status in {401, 403, 407}
    return proxied or isinstance(foreign, aiohttp.ClientConnectorCertificateError)


def _reason(foreign: BaseException) -> str:
    """Why a host was not reached, in words that hold no URL."""
    if isinstance(foreign, aiohttp.ClientConnectorDNSError):
        return "its name was not resolved"
    if isinstance(foreign, aiohttp.ClientConnectorCertificateError):
        return "its certificate was not accepted"
    if isinstance(foreign, aiohttp.ClientSSLError):
        return "TLS failed"
    if isinstance(foreign, aiohttp.ClientHttpProxyError):
        return f"the proxy answered {foreign.status}"
    if isinstance(foreign, TimeoutError):
        return "no connection in time"
    return errno.errorcode.get(getattr(foreign, "errno", None) or 0, "connection failed")
