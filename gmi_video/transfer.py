"""`Transfer`: how far a file has come on its way."""

from attrs import frozen

from gmi_video.records import Media, Record


@frozen(kw_only=True)
class Transfer(Record):
    """A file under way: `done` of `total` bytes, which is None where nobody told it.

    `name` is the file's on disk, `media` where it comes from. What an earlier attempt left behind counts as done
    from the beginning; where a host makes it begin anew, `done` falls back.
    """

    name: str
    done: int
    total: int | None = None
    media: Media | None = None
