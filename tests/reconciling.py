"""What the tests of lost submissions share."""

from itertools import pairwise

from smallservice import SmallService

from gmi_video import Intent, Session, VideoRequest, errors

MANY = [VideoRequest("Veo3", {"prompt": f"p{number}"}) for number in range(300)]


def reads(service: SmallService) -> list[float]:
    """When the list was read, pages of one read counted once."""
    times = service.read_at
    return [at for before, at in pairwise([float("-inf"), *times]) if at - before >= 1]


def uncertain(result: object) -> errors.SubmissionUncertain:
    """An end that must be this one."""
    assert isinstance(result, errors.SubmissionUncertain), result
    return result


async def recovered(session: Session, one: Intent) -> object:
    """The snapshot, or the error."""
    try:
        return await session.recover(one)
    except errors.GmiVideoError as error:
        return error
