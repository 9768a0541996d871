"""The command `batch` and those below it. What they do is loaded when one of them runs."""

import shlex
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Group, Parameter

from gmi_video.cli import options
from gmi_video.cli.desk import Desk
from gmi_video.cli.guard import guarded
from gmi_video.cli.interrupt import Running
from gmi_video.cli.plain import printable
from gmi_video.cli.times import seconds_of
from gmi_video.errors import ConfigurationError

_HELP = """\
Makes videos of a whole file of prompts: through crashes, throttling and empty accounts, nothing paid twice.

gmi-video batch prompts.jsonl --model Veo3 -o videos/ --max-cost 20

A line of JSON is an object of parameters; a CSV file names them in its first line; a text file is a prompt a line. \
`model` and `key` may be among the columns. The same command again continues where it was left, however it ended, \
and adds what is new in the file. (A file that is called like a command below: ./status.)
"""

JOURNAL = "batch.db"

Journal = Annotated[
    Path, Parameter(metavar="JOURNAL", help="The batch's journal, batch.db in its output folder.")
]


def make(
    file: Annotated[Path, Parameter(metavar="FILE", help="Prompts: .jsonl, .csv, .tsv or .txt.")],
    /,
    *,
    model: Annotated[
        str | None, Parameter(metavar="ID", help="The model of all lines that name none themselves.")
    ] = None,
    out: Annotated[
        Path | None,
        Parameter(
            name=["--out", "-o"],
            metavar="DIR",
            help="The folder to save videos to, made where missing. Without it nothing is downloaded.",
        ),
    ] = None,
    journal: Annotated[
        Path | None,
        Parameter(
            metavar="FILE",
            help="What remembers everything, from before each submission on; not on a network share. "
            "[default: batch.db in the output folder]",
        ),
    ] = None,
    payload: Annotated[
        str | None,
        Parameter(
            metavar="FILE", help="A JSON object of parameters that all lines share; their own go over it."
        ),
    ] = None,
    name: Annotated[
        str,
        Parameter(
            metavar="TEMPLATE",
            help="Of {key}, {number}, {model} and any parameter, e.g. '{model}/{key}-{seed}'; slashes make folders.",
        ),
    ] = "{key}",
    max_cost: Annotated[
        str | None,
        Parameter(
            metavar="DOLLARS",
            help="Stop before the request that would pass it, over all runs of the journal.",
        ),
    ] = None,
    assume_price: Annotated[
        str | None,
        Parameter(metavar="DOLLARS", help="What a request costs where the catalog does not say."),
    ] = None,
    max_in_flight: Annotated[
        int | None, Parameter(metavar="N", help="Requests under way at once. [default: 1000]")
    ] = None,
    attempts: Annotated[
        int, Parameter(metavar="N", help="Submissions of a line at most, after failures that cost nothing.")
    ] = 3,
    retry: Annotated[
        Literal["failed"] | None,
        Parameter(metavar="failed", help="Try lines that failed in earlier runs, uncharged, once more."),
    ] = None,
    resubmit_absent: Annotated[
        int,
        Parameter(
            metavar="N",
            help="Allow so many second submissions of lines whose answer was lost and that were not found again.",
        ),
    ] = 0,
    skip_invalid: Annotated[
        bool,
        Parameter(negative="", show_default=False, help="Send the other lines where some would be refused."),
    ] = False,
    grace: Annotated[
        str, Parameter(metavar="TIME", help="After the first Ctrl-C, wait so long for what is in flight.")
    ] = "60s",
    report: Annotated[
        bool, Parameter(negative="--no-report", show_default=False, help="Write report.html at the end.")
    ] = True,
    dry_run: Annotated[
        bool,
        Parameter(
            negative="",
            show_default=False,
            help="Check every line against its model's schema, sum the prices, and send nothing.",
        ),
    ] = False,
    json: options.Json = False,
) -> int:
    """Makes videos of a whole file of prompts."""

    async def work(desk: Desk, running: Running) -> int:
        from gmi_video.cli.batch_run import Told, run  # noqa: PLC0415  # start-up stays quick for all other commands

        place = journal or (out or Path()) / JOURNAL
        told = Told(
            file=file,
            model=model,
            payload=payload,
            out=out.absolute() if out else None,
            journal=place,
            name=name,
            max_cost=_dollars("--max-cost", max_cost),
            assume_price=_dollars("--assume-price", assume_price),
            max_in_flight=max_in_flight,
            attempts=attempts,
            retry_failed=retry is not None,
            resubmit_absent=resubmit_absent,
            skip_invalid=skip_invalid,
            dry_run=dry_run,
            report=report,
            grace=seconds_of(grace, "--grace"),
            again=_again(
                file,
                model=model,
                out=out,
                journal=journal,
                payload=payload,
                name=None if name == "{key}" else name,
                max_cost=max_cost,
                assume_price=assume_price,
                max_in_flight=max_in_flight,
                skip_invalid=skip_invalid or None,
            ),
        )
        return await run(desk, running, told)

    return guarded(work, as_json=json)


def status(journal: Journal, /, *, json: options.Json = False) -> int:
    """Shows where a batch stands, beside its run or after it."""

    async def work(desk: Desk, _running: Running) -> int:
        from gmi_video.cli import batch_journal  # noqa: PLC0415  # as above

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
        from gmi_video.cli import batch_journal  # noqa: PLC0415  # as above

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
        from gmi_video.cli import batch_journal  # noqa: PLC0415  # as above

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
        from gmi_video.cli import batch_resolve  # noqa: PLC0415  # as above

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
        from gmi_video.cli import batch_audit  # noqa: PLC0415  # as above

        return await batch_audit.audit(desk, journal, adopt)

    return guarded(work, as_json=json)


def app(group: Group, sort_key: int) -> App:
    """`batch FILE`, and `batch status`, `export`, `report`, `resolve` and `audit` below the same word.

    The file is the argument of the sub-app's default command; a word that names a command is taken for it first.
    """
    batch = App(
        name="batch",
        help=_HELP,
        help_format="plaintext",
        group=group,
        sort_key=sort_key,
        group_commands=Group("Return to a batch"),
        version_flags=(),
    )
    batch.default(make)
    for command in (status, export, report, resolve, audit):
        batch.command(command)
    return batch


def _dollars(option: str, text: str | None) -> Decimal | None:
    try:
        amount = None if text is None else Decimal(text.removeprefix("$"))
    except InvalidOperation:
        amount = Decimal(-1)
    if amount is None or (amount.is_finite() and amount >= 0):
        return amount
    message = f"{option} {printable(text, 40)!r} is not an amount of dollars, e.g. 20 or 0.35"
    raise ConfigurationError(message)


def _again(file: Path, **given: object) -> str:
    """The command line that continues: what is about one run only is left out."""
    tokens = ["gmi-video", "batch", str(file)]
    for option, value in given.items():
        if value is not None:
            flag = f"--{option.replace('_', '-')}"
            tokens += [flag] if value is True else [flag, str(value)]
    return shlex.join(tokens)
