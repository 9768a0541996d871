"""`Serving`: how the bucket departs from an honest one, in what it gives and in what it keeps. Pure values."""

from typing import Literal

from attrs import field, frozen
from attrs.validators import ge


@frozen(kw_only=True)
class Serving:
    """The oddities of the storage host; nothing said is a bucket that keeps and gives what it was given.

    Said of the whole run (`Script.serving`) or of one call (`Behaviour.serving`, in `Script.media` and, for
    `flips` and `hashes`, in `Script.puts`).
    """

    ranges: bool = True
    """False: `Range` is ignored, the whole object comes as a 200."""
    content_range: Literal["right", "wrong", "missing"] = "right"
    """What a 206 says of its place; "wrong" is a byte too early."""
    etag: Literal["right", "changing", "missing"] = "right"
    """"changing": another strong ETag at each call, over equal bytes."""
    hashes: Literal["both", "md5", "crc32c", "none", "wrong"] = "both"
    """What `x-goog-hash` tells; composite objects have no MD5."""
    edition: int = field(default=0, validator=ge(0))
    """Above 0: another object under the same name, as playable, with bytes, ETag and hashes of its own."""
    flips: int | None = None
    """The lowest bit of this byte (counted as in a slice) is flipped: on its way to the client, whose hashes are
    still the object's; of an upload, before it is kept, so that the reply's hashes differ from the client's."""


HONEST_BUCKET = Serving()
"""The storage of a healthy service."""
