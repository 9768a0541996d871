"""One submission and its end."""

from lostfound import EAGLE

from gmi_video import Session, errors


async def end(session: Session) -> object:
    """The snapshot, or the error."""
    try:
        return await session.submit(EAGLE)
    except errors.GmiVideoError as error:
        return error
