"""A process whose children download and are killed: it has loaded everything, so that a child begins at once.

Each line of stdin is `URL TARGET SECONDS`; the answer is how the child ended, which is killed after so long, or,
where that is "change", at the very moment at which something happens at the target.
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


def looked(path: Path) -> tuple[int, ...]:
    """What changes where anything does."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return ()
    return found.st_ino, found.st_size, found.st_mtime_ns


def wait(target: Path, seconds: str) -> None:
    """Until the child is to be killed."""
    if seconds != "change":
        time.sleep(float(seconds))
        return
    before, latest = looked(target), time.monotonic() + 5
    while looked(target) == before and time.monotonic() < latest:
        pass


def main() -> None:
    """Until stdin ends."""
    _transport.prepare()
    for line in sys.stdin:
        url, target, seconds = line.split()
        child = os.fork()
        if not child:
            asyncio.run(download(url, target))
            os._exit(0)
        wait(Path(target), seconds)
        os.kill(child, signal.SIGKILL)  # ours until it is waited for, also where it has ended
        sys.stdout.write(f"{os.waitpid(child, 0)[1]}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
