"""What a token says of itself. It is read, never trusted: only the service can tell whether it is good."""

import binascii
import json
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from typing import Any


def claims(token: str) -> Mapping[str, Any]:
    """The claims of a JWT; none where it is another kind of token."""
    parts = token.split(".")
    if len(parts) != 3:
        return {}
    try:
        found = json.loads(urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        return {}
    return found if isinstance(found, Mapping) else {}


def seconds(value: object) -> float | None:
    """A claim of time in Unix seconds, or None where it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e11:
        return None
    return float(value)


def lifetime(token: str) -> float | None:
    """Seconds from a token's making to its death, by its own two times, so that no other clock matters.

    None where it does not tell: such a token is used until the service refuses it.
    """
    found = claims(token)
    made, dies = seconds(found.get("iat")), seconds(found.get("exp"))
    return None if made is None or dies is None or dies <= made else dies - made
