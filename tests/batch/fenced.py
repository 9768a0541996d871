"""A batch whose first byte never leaves: the power fails in the moment in which it would."""

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

from gmi_video import Session, Settings, VideoRequest
from gmi_video.batch import Batch
from gmi_video.errors import Unreachable
from gmi_video.wire import Call, Reply


class Powerless:
    """A transport that knows no models, and whose process dies where a submission would leave it."""

    async def send(self, call: Call) -> Reply:
        """Sends nothing."""
        if call.operation == "submit":
            os.kill(os.getpid(), signal.SIGKILL)
        message = "not here"
        raise Unreachable(message, retryable=False)

    def stream(self, call: Call) -> Any:
        """There are no files."""
        raise NotImplementedError

    async def aclose(self) -> None:
        """Holds nothing."""


async def main(journal: Path) -> None:
    """Submits one request, as far as it comes."""
    settings = Settings(api_key="sandbox-key", check="off")
    async with Session(settings, transport=Powerless()) as session:
        batch = Batch(session, journal=journal)
        await batch.add([VideoRequest("Veo3", {"prompt": "a river"}, key="river")])
        async for _ in batch.run():
            pass


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
