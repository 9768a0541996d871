"""The command `batch` and those below it. What they do is loaded when one of them runs."""

import shlex
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Group, Parameter
from cyclopts.validators import Number

from gmi_video.cli import options
from gmi_video.cli.batch_below import audit, export, report, resolve, status
from gmi_video.cli.desk import Desk
from gmi_video.cli.guard import guarded
from gmi_video.cli.interrupt import Running
from gmi_video.cli.times import seconds_of
from gmi_video.cli.values import dollars_of

_HELP = """\
Makes videos of a whole file of prompts: through crashes, throttling and empty accounts, nothing paid twice.

gmi-video batch prompts.jsonl --model Veo3 -o videos/ --max-cost 20

A line of JSON is an object of parameters; a CSV file names them in its first line; a text file is a prompt a line. \
`model` and `key` may be among the columns. The same command again continues where it was left, however it ended, \
and adds what is new in the file. (A file that is called like a command below: ./status.)
"""

JOURNAL = "batch.db"
_BELOW = (status, export, report, resolve, audit)


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
        int | None,
        Parameter(metavar="N", help="Requests under way at once. [default: 1000]", validator=Number(gte=1)),
    ] = None,
    attempts: Annotated[
        int,
        Parameter(
            metavar="N",
            help="Submissions of a line at most, after failures that cost nothing.",
            validator=Number(gte=1),
        ),
    ] = 3,
    retry: Annotated[
        Literal["failed"] | None,
        Parameter(metavar="failed", help="Try lines that failed in earlier runs, uncharged, once more."),
    ] = None,
    rest: Annotated[
        Literal["leave", "send", "drop"],
        Parameter(
            help="Of lines that only the journal has, not sent yet: leave them waiting, send them too, or take them out.",
        ),
    ] = "leave",
    resubmit_absent: Annotated[
        int,
        Parameter(
            metavar="N",
            help="Allow so many second submissions of lines whose answer was lost and that were not found again.",
            validator=Number(gte=0, lte=100_000),
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
            help="Check every line against its model's schema and the journal, sum the prices, and send nothing.",
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
            max_cost=dollars_of(max_cost, "--max-cost"),
            assume_price=dollars_of(assume_price, "--assume-price"),
            max_in_flight=max_in_flight,
            attempts=attempts,
            retry_failed=retry is not None,
            resubmit_absent=resubmit_absent,
            skip_invalid=skip_invalid,
            dry_run=dry_run,
            rest=rest,
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
                attempts=None if attempts == 3 else attempts,
                rest="send" if rest == "send" else None,
                resubmit_absent=resubmit_absent or None,
                skip_invalid=skip_invalid or None,
                grace=None if grace == "60s" else grace,
                no_report=None if report else True,
                json=json or None,
            ),
        )
        return await run(desk, running, told)

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
    for command in _BELOW:
        batch.command(command)
    return batch


def _again(file: Path, **given: object) -> str:
    """The command line that continues: all that was told but --retry, which is about one run.

    A file that is called like a command or an option is written so that it is taken for a file.
    """
    name = str(file)
    taken = name.startswith("-") or name in {command.__name__ for command in _BELOW}
    tokens = ["gmi-video", "batch", f"./{name}" if taken else name]
    for option, value in given.items():
        if value is not None:
            flag = f"--{option.replace('_', '-')}"
            tokens += [flag] if value is True else [flag, str(value)]
    return shlex.join(tokens)
