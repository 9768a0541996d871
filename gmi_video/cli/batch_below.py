"""The commands below `batch`: they ask a journal, beside its run or after it."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from gmi_video.cli import options
from gmi_video.cli.desk import Desk
from gmi_video.cli.guard import guarded
from gmi_video.cli.interrupt import Running

Journal = Annotated[
    Path, Parameter(metavar="JOURNAL", help="The batch's journal, batch.db in its output folder.")
]


def status(journal: Journal, /, *, json: options.Json = False) -> int:
    """Shows where a batch stands, beside its run or after it."""

    async def work(desk: Desk, _running: Running) -> int:
        from gmi_video.cli import batch_journal  # noqa: PLC0415  # start-up stays quick for all other commands

        return batch_journal.status(desk, journal)

    return guarded(work, as_json=json)


def export(
    journal: Journal,
    /,
    *,
    out: Annotated[
        Path | None,
        Parameter(
            name=["--out", "-o"],
            metavar="FILE",
            help="results.csv, .jsonl or .parquet; it is replaced. Without it: JSON lines on stdout.",
        ),
    ] = None,
) -> int:
    """Writes all lines of a batch as a table: what was asked, what became of it, what it cost, where its file is."""

    async def work(desk: Desk, _running: Running) -> int:
        from gmi_video.cli import batch_journal  # noqa: PLC0415  # start-up stays quick for all other commands

        return batch_journal.exported(desk, journal, out)

    return guarded(work, as_json=False)


def report(
    journal: Journal,
    /,
    *,
    out: Annotated[
        Path | None,
        Parameter(
            name=["--out", "-o"], metavar="FILE", help="The page. [default: report.html beside the journal]"
        ),
    ] = None,
) -> int:
    """Writes a batch as one HTML page: contact sheet, durations, money, failures. It opens from disk."""

    async def work(desk: Desk, _running: Running) -> int:
        from gmi_video.cli import batch_journal  # noqa: PLC0415  # start-up stays quick for all other commands

        return batch_journal.reported(desk, journal, out)

    return guarded(work, as_json=False)


def resolve(
    journal: Journal,
    number: Annotated[
        int, Parameter(metavar="LINE", help="The line's number, as the list of undecided ones has it.")
    ],
    request_id: Annotated[
        str,
        Parameter(
            metavar="REQUEST_ID|none", help="The request that it is; none: it never ran, submit it anew."
        ),
    ],
    /,
) -> int:
    """Decides a line whose submission's answer was lost: which request it is, or that there is none."""

    async def work(desk: Desk, _running: Running) -> int:
        from gmi_video.cli import batch_resolve  # noqa: PLC0415  # start-up stays quick for all other commands

        return await batch_resolve.resolve(desk, journal, number, request_id)

    return guarded(work, as_json=False)


def audit(
    journal: Journal,
    /,
    *,
    adopt: Annotated[
        tuple[str, ...],
        Parameter(
            negative="",
            show_default=False,
            metavar="ID|all",
            help="Make this request a line of the batch, so that its video is saved; repeat it, or all.",
        ),
    ] = (),
    json: options.Json = False,
) -> int:
    """Lists requests of the account that are like lines of a batch and belong to none; a run ends with it as well."""

    async def work(desk: Desk, _running: Running) -> int:
        from gmi_video.cli import batch_audit  # noqa: PLC0415  # start-up stays quick for all other commands

        return await batch_audit.audit(desk, journal, adopt)

    return guarded(work, as_json=json)
