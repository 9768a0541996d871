"""What the tests of watches have in common: requests under way, and what the server was asked about them."""

from scene import EAGLE

from gmi_video import Session
from gmi_video.events import Event
from gmi_video.sandbox import Sandbox


async def submitted(session: Session, count: int = 3) -> list[str]:
    """The ids of some requests that have just been accepted."""
    return [(await session.submit(EAGLE)).request_id for _ in range(count)]


def looks_at(sandbox: Sandbox, request_id: str) -> list[float]:
    """When the server was asked about an id."""
    return [call.at for call in sandbox.calls if call.operation == "look" and call.path.endswith(request_id)]


def finals(events: list[Event]) -> list[str]:
    """The ids that ended, as often as they did."""
    return sorted(event.request_id for event in events if event.final)
