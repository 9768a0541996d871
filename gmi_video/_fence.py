"""Who must wait before sending: those whose request could not be told from one that is lost at this moment.

Equal payloads could not; where the service echoes nothing, no two could. Those who wait go one after the
other once the lost one is found, so that thousands of equal submissions cost one wake-up each.
"""

import asyncio
from collections import Counter, deque

ANY = ""
"""The line of those whose payload is not echoed: any lost submission of the model holds them."""


class Fence:
    """The lost submissions of one model by the digest of their payload, and the lines before them."""

    def __init__(self) -> None:
        self._lost: Counter[str] = Counter()
        self._lines: dict[str, deque[asyncio.Future[None]]] = {}

    def lose(self, digest: str) -> None:
        """A submission is being looked for."""
        self._lost[digest] += 1
        self._lost[ANY] += 1

    def find(self, digest: str) -> None:
        """It is looked for no longer."""
        for line in (digest, ANY):
            self._lost[line] -= 1
            if not self._lost[line]:
                del self._lost[line]
            self.go_on(line)

    def holds(self, line: str) -> bool:
        """Whether nobody of this line (a digest, or `ANY`) may send now."""
        return line in self._lost

    async def wait(self, line: str) -> None:
        """Waits until this line may go on, and for those before in it. Whoever was let go calls `go_on`."""
        if not self.holds(line) and line not in self._lines:
            return
        place = asyncio.get_running_loop().create_future()
        self._lines.setdefault(line, deque()).append(place)
        try:
            await place
        except asyncio.CancelledError:
            if place.cancelled():
                self._leave(line, place)
            else:
                self.go_on(line)
            raise

    def _leave(self, line: str, place: "asyncio.Future[None]") -> None:
        waiting = self._lines.get(line)
        if waiting is not None and place in waiting:
            waiting.remove(place)
            if not waiting:
                del self._lines[line]

    def go_on(self, line: str) -> None:
        """Lets the next one of a line go, if nothing holds it."""
        waiting = self._lines.get(line)
        while waiting and not self.holds(line):
            place = waiting.popleft()
            if not waiting:
                del self._lines[line]
            if not place.done():
                place.set_result(None)
                return
