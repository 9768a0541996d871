"""A process whose children download and are killed: it has loaded everything, so that a child begins at once.

Each line of stdin is `URL TARGET SECONDS`; the answer is how the child ended, which is killed after so long.
"""

import asyncio
import os
import signal
import sys
import time
from pathlib import Path

from gmi_video import Media, Session, Settings, _transport
from gmi_video.settings import Patience


async def download(url: str, target: str) -> None:
    """Fetches a file over whatever is there."""
    settings = Settings(api_key="a-key", base_url=url, patience=Patience(attempts=1))
    async with Session(settings) as session:
        await session.download(Media(url), to=Path(target), overwrite=True)


def main() -> None:
    """Until stdin ends."""
    _transport.prepare()
    for line in sys.stdin:
        url, target, seconds = line.split()
        child = os.fork()
        if not child:
            asyncio.run(download(url, target))
            os._exit(0)
        time.sleep(float(seconds))
        os.kill(child, signal.SIGKILL)  # ours until it is waited for, also where it has ended
        sys.stdout.write(f"{os.waitpid(child, 0)[1]}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
