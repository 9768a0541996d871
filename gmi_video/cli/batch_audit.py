"""`gmi-video batch audit`: requests of the account that look like lines of a batch and belong to none of them."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from gmi_video.batch import Batch
from gmi_video.batch.records import Orphan
from gmi_video.cli import exits
from gmi_video.cli.batch_journal import present
from gmi_video.cli.batch_view import dollars
from gmi_video.cli.desk import Desk
from gmi_video.cli.entrance import settings
from gmi_video.cli.plain import Column, printable
from gmi_video.errors import ConfigurationError, GmiVideoError

_LISTED = 20
ALL = "all"

TABLE = (
    Column("id", whole=True),
    Column("model"),
    Column("status", whole=True),
    Column("price", right=True),
    Column("like line", right=True),
)


async def audit(desk: Desk, path: Path, adopt: Sequence[str]) -> int:
    """Lists a batch's orphans on stdout, and makes those that are named lines of the batch."""
    from gmi_video.session import Session  # noqa: PLC0415  # its network takes a while to load

    async with Session(settings()) as session, Batch(session, journal=present(path)) as batch:
        found = {orphan.request_id: orphan for orphan in await batch.audit()}
        chosen = list(found) if ALL in adopt else list(dict.fromkeys(adopt))
        strangers = [name for name in chosen if name not in found]
        if strangers:
            message = f"--adopt {printable(strangers[0], 60)}: no such orphan; `gmi-video batch audit {path}` lists them"
            raise ConfigurationError(message)
        for name in chosen:
            number = await batch.adopt(found[name])
            desk.note(f"{name} is line {number} now; the next run saves its video")
    rest = [orphan for name, orphan in found.items() if name not in chosen]
    for orphan in rest if desk.manner.json else ():
        desk.record(orphan)
    if rest and not desk.manner.json:
        desk.table(TABLE, [_row(orphan) for orphan in rest])
    if not found:
        desk.note("No orphans: every request that is like a line belongs to one.")
    return exits.FAILED if rest else exits.OK


async def audited(desk: Desk, batch: Batch) -> tuple[Orphan, ...]:
    """The orphans of a batch whose run is over; where the list cannot be had, that is said and nothing fails."""
    try:
        return await batch.audit()
    except GmiVideoError as error:
        desk.warn(f"the account's list could not be looked through for orphans: {printable(error)}")
        return ()


def unowned(desk: Desk, orphans: Sequence[Orphan], journal: Path) -> None:
    """Tells of orphans after a run, with their prices and the command that adopts them."""
    if not orphans:
        return
    count = "1 request is" if len(orphans) == 1 else f"{len(orphans):,} requests are"
    desk.warn(f"{count} like lines of this batch and belong to none of them; they may have been charged:")
    for orphan in orphans[:_LISTED]:
        desk.note("  ".join(_row(orphan)))
    if len(orphans) > _LISTED:
        desk.note(f"and {len(orphans) - _LISTED:,} more")
    command = shlex.join(["gmi-video", "batch", "audit", str(journal), "--adopt", ALL])
    desk.pointer(f"To make them lines of the batch, and save their videos with the next run: {command}")


def _row(orphan: Orphan) -> tuple[str, ...]:
    price = dollars(orphan.cost)
    return (
        orphan.request_id,
        printable(orphan.model, 80),
        printable(orphan.status, 24),
        price,
        str(orphan.number),
    )
