"""Arguments that several commands share, with the words that `--help` has for them."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter, Token

from gmi_video.errors import ConfigurationError

Json = Annotated[
    bool,
    Parameter(
        name="--json",
        negative="",
        show_default=False,
        help="JSON lines on stdout: events and records whole, links included. Everything else is on stderr.",
    ),
]


def _file(_: object, tokens: Sequence[Token]) -> Path:
    """The path of a file: what ends with a slash is a folder, which a path would not tell any more."""
    word = tokens[0].value
    if word.endswith(("/", os.sep)):
        message = f"{word!r} names a folder: say --into {word}"
        raise ValueError(message)
    return Path(word)


Out = Annotated[
    Path | None,
    Parameter(
        name=["--out", "-o"],
        metavar="FILE",
        converter=_file,
        help="The file to save the video to. It must not exist yet.",
    ),
]
Into = Annotated[
    Path | None,
    Parameter(
        name="--into",
        metavar="DIR",
        help="The folder to save all files of the request into, made where missing. Names are the request's "
        "id. Without -o or --into it is the current folder.",
    ),
]
Values = Annotated[
    tuple[str, ...],
    Parameter(
        name=["--param", "-p"],
        negative="",
        show_default=False,
        metavar="KEY=VALUE",
        help="A parameter of the model; repeat it for more. The text becomes what the model's schema asks "
        "for: a number, true or false, text. A list is JSON, or the same key several times. KEY=@FILE reads "
        "the text from a file; a picture, clip or sound is uploaded, or with KEY=data:@FILE sent along.",
    ),
]
Base = Annotated[
    str | None,
    Parameter(
        name="--payload",
        allow_leading_hyphen=True,
        metavar="FILE",
        help="A JSON object of parameters to start from, - for stdin; it is sent as it stands, -p goes over it.",
    ),
]
Deadline = Annotated[
    str,
    Parameter(
        name="--deadline",
        metavar="TIME",
        help="How long to wait: 90s, 10m, 1h30m, or never. The request runs on after it, and can be resumed.",
    ),
]
DryRun = Annotated[
    bool,
    Parameter(
        name="--dry-run",
        negative="",
        show_default=False,
        help="Send nothing: show the payload, what the model's schema has against it, and what it would cost.",
    ),
]
Key = Annotated[
    str | None,
    Parameter(
        name="--key",
        metavar="NAME",
        help="Your own name for the request; it is never sent and comes back with every --json line.",
    ),
]
Id = Annotated[str, Parameter(metavar="ID", help="Request ids.", negative="")]
RequestId = Annotated[str, Parameter(help="The request's id.")]
Model = Annotated[
    str, Parameter(help="The model's id, as `gmi-video models` lists it; upper and lower case count.")
]


def one_place(out: Path | None, into: Path | None) -> None:
    """Raises `ConfigurationError` where both a file and a folder are named."""
    if out is not None and into is not None:
        message = "give -o (a file) or --into (a folder), not both"
        raise ConfigurationError(message)
