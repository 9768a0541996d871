"""How long models take, kept between runs of the command: a few KB in the platform's cache folder.

It holds model ids and counts of durations, nothing of requests, payloads or keys. It is a help and never a
hindrance: what cannot be read or written is passed over.
"""

import hashlib
import os
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from attrs import frozen

from gmi_video.cli.desk import Desk
from gmi_video.cli.entrance import settings
from gmi_video.cli.plain import printable
from gmi_video.cli.times import span
from gmi_video.errors import ConfigurationError, GmiVideoError
from gmi_video.estimate import MARKS, Estimate
from gmi_video.records import Snapshot, Status
from gmi_video.settings import is_loopback

if TYPE_CHECKING:
    from gmi_video.notices import Notice
    from gmi_video.session import Session

VARIABLE = "GMI_VIDEO_CACHE"
"""Names the folder; `off` keeps nothing."""
_OFF = frozenset({"off", "0", "no", "false", "none"})
_MOST = 4 * 2**20
"""Bytes of a file that is believed to be ours."""
FEWEST = 5
"""Ended requests from which the list is believed, as a session believes its own."""
LISTED = 100
"""Records of the list that are read for an answer: one page."""


def folder(base_url: str, environ: Mapping[str, str]) -> Path | None:
    """Where durations are kept; None where they are not: nobody's sandbox takes as long as the service."""
    named = environ.get(VARIABLE, "").strip()
    if named:
        return None if named.lower() in _OFF else Path(named).expanduser()
    if is_loopback(urlsplit(base_url).hostname):
        return None
    from platformdirs import user_cache_path  # noqa: PLC0415  # start-up stays quick

    return user_cache_path("gmi-video", appauthor=False)


@frozen(kw_only=True)
class Store:
    """One file of a folder: what was learnt at one address."""

    path: Path

    @classmethod
    def of(cls, base_url: str, environ: Mapping[str, str]) -> "Store | None":
        """The file for an address, or None where nothing is kept."""
        found = folder(base_url, environ)
        if found is None:
            return None
        return cls(path=found / f"durations-{hashlib.sha256(base_url.encode()).hexdigest()[:12]}.json")

    def load(self, session: "Session", desk: Desk) -> None:
        """Teaches a session what earlier runs learnt; what is broken is told in one line and ignored."""
        try:
            with self.path.open("rb") as file:
                text = file.read(_MOST).decode()
            session.cadence.merge(text)
        except FileNotFoundError:
            return
        except OSError as error:
            why = error.strerror or "the system says no more"
        except (UnicodeDecodeError, ConfigurationError):
            why = "it is not what this command wrote"
        else:
            return
        desk.note(f"{printable(self.path)} is ignored: {why}; it only held how long models take")

    def save(self, text: str) -> None:
        """Writes what is known now, whole or not at all; another run at the same time may win."""
        draft = self.path.with_name(f"{self.path.name}.{os.getpid()}")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            draft.write_text(text, encoding="utf-8")
            draft.replace(self.path)
        except OSError:  # a full disk or a home that cannot be written costs nothing but a slower start
            with suppress(OSError):
                draft.unlink(missing_ok=True)


@asynccontextmanager
async def remembering(
    desk: Desk, observers: "Iterable[Callable[[Notice], object]]" = ()
) -> AsyncIterator["Session"]:
    """A session that knows what earlier runs learnt of how long models take, and leaves what it learns."""
    from gmi_video.session import Session  # noqa: PLC0415  # start-up stays quick without the network

    async with Session(settings(), observers=observers) as session:
        store = Store.of(session.settings.base_url, os.environ)
        if store is not None:
            store.load(session, desk)
        before = session.cadence.export()
        try:
            yield session
        finally:
            after = session.cadence.export()
            if store is not None and after != before:
                store.save(after)


async def typical(session: "Session", model_id: str) -> tuple[Estimate, str] | None:
    """How long a model takes and whence that is known: from earlier runs, else from the account's newest records.

    None where neither says, and where the list cannot be had: nobody is kept from reading a schema by that.
    """
    known = session.cadence.typical(model_id)
    if known is not None:
        return known, f"seen by this command {known.seen:.0f} times"
    found: list[float] = []
    read = 0
    try:
        async for snapshot in session.requests(model_id):
            read += 1
            seconds = duration(snapshot)
            found += [] if seconds is None else [seconds]
            if read == LISTED:
                break
    except GmiVideoError:
        return None
    if len(found) < FEWEST:
        return None
    return estimate(model_id, found), f"the account's last {len(found)}"


def duration(snapshot: Snapshot) -> float | None:
    """Seconds that a request took which succeeded; None of any other."""
    begun, ended = snapshot.created_at, snapshot.updated_at
    if snapshot.status is not Status.SUCCESS or begun is None or ended is None or ended < begun:
        return None
    return (ended - begun).total_seconds()


def estimate(model_id: str, seconds: Iterable[float]) -> Estimate:
    """An estimate from durations themselves, by straight lines between them."""
    ordered = sorted(seconds)
    marks = []
    for mark in MARKS:
        place = mark * (len(ordered) - 1)
        below = int(place)
        above = min(below + 1, len(ordered) - 1)
        marks.append(ordered[below] + (place - below) * (ordered[above] - ordered[below]))
    return Estimate(model=model_id, seen=len(ordered), quantiles=tuple(marks))


def told(found: tuple[Estimate, str]) -> str:
    """An estimate as a line under a model's price."""
    known, source = found
    low, high = known.usual
    return f"Takes: about {span(known.median)}, mostly {span(low)} to {span(high)} ({source})"
