"""Files of prompts, read a line at a time: JSON lines, CSV as spreadsheets write it, or one prompt a line.

    for line in Prompts("prompts.jsonl"):
        request = line.request("Veo3", {"durationSeconds": "8"})

A file of a million lines takes no more memory than one of ten.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Self

from attrs import field, frozen

from gmi_video.batch.cells import rows_of
from gmi_video.batch.objects import Key, guessed, stated
from gmi_video.batch.physical import lines_in
from gmi_video.errors import ConfigurationError
from gmi_video.records import VideoRequest


@frozen(kw_only=True)
class Line:
    """One wish of a file. `number` is the physical line on which it begins; an editor finds it there.

    `values` are parameters as JSON states them. `texts` are cells of a spreadsheet, which are text until a
    model's schema says what they are to be; an empty cell is not among them, so that the model's default holds.
    """

    file: str
    number: int
    model: str | None = None
    key: Key | None = None
    values: Mapping[str, Any] = field(factory=dict, repr=False)
    texts: Mapping[str, str] = field(factory=dict, repr=False)

    @property
    def place(self) -> str:
        """Where it stands, e.g. `prompts.csv, line 17`."""
        return f"{self.file}, line {self.number}"

    def request(self, model: str | None = None, base: Mapping[str, Any] | None = None) -> VideoRequest:
        """The request that it asks for: its own model and values before the common ones.

        Texts become JSON where they are JSON (`5`, `true`, `["a"]`), else stay text: with a schema at hand, type
        them by it instead. Raises `ConfigurationError` that names the line.
        """
        typed = {name: guessed(text) for name, text in self.texts.items()}
        return self.made(model, {**(base or {}), **self.values, **typed})

    def made(self, model: str | None, payload: Mapping[str, Any]) -> VideoRequest:
        """The request for a payload that is ready, under this line's key and, where it names one, its model."""
        model = self.model or model
        if model is None:
            message = f"{self.place}: no model; name one in a column or key `model`, or for all with --model"
            raise ConfigurationError(message)
        try:
            return VideoRequest(model, payload, key=self.key)
        except (TypeError, ValueError) as error:
            message = f"{self.place}: {error}"
        raise ConfigurationError(message)


class Prompts:
    """The lines of a file, in order; empty ones are skipped. An iterator that survives what it raises.

    `format` is "jsonl", "csv" or "text"; without it the file's ending says so (.jsonl .ndjson .json, .csv .tsv,
    .txt), else its first line. A JSON line is an object of parameters, with `model` and `key` among them where
    they are not for all; or `{"model": …, "key": …, "payload": {…}}`, for models whose parameters have those
    names. In CSV the first line names the columns.

    Iterating raises `ConfigurationError` that names file and line for a bad one; ask on for the next, unless
    nothing behind it can be understood, as after a quote that is never closed.
    """

    def __init__(self, path: str | Path, *, format: str | None = None) -> None:  # noqa: A002  # the common word
        self.path = Path(path)
        self.format = format or _format(self.path)
        if self.format not in _READERS:
            message = f"format {self.format!r} is none of jsonl, csv, text"
            raise ConfigurationError(message)
        self._found: Iterator[Line | ConfigurationError] = _READERS[self.format](self.path)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Line:
        found = next(self._found)
        if isinstance(found, ConfigurationError):
            raise found
        return found


_ENDINGS = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".csv": "csv",
    ".tsv": "csv",
    ".tab": "csv",
    ".txt": "text",
}


def _format(path: Path) -> str:
    known = _ENDINGS.get(path.suffix.lower())
    if known:
        return known
    first = next((line for line in lines_in(path) if line.strip()), "")
    if first.lstrip().startswith("{"):
        return "jsonl"
    message = (
        f"{path}: its ending does not say what it holds; name it .jsonl (a JSON object a line), .csv (columns "
        f"named in the first line) or .txt (a prompt a line)"
    )
    raise ConfigurationError(message)


def _json(path: Path) -> Iterator[Line | ConfigurationError]:
    for number, text in enumerate(lines_in(path), 1):
        if not text.strip():
            continue
        try:
            model, key, values = stated(text)
        except ValueError as error:
            yield ConfigurationError(f"{path}, line {number}: {error}")
        else:
            yield Line(file=str(path), number=number, model=model, key=key, values=values)


def _csv(path: Path) -> Iterator[Line | ConfigurationError]:
    for number, row in rows_of(path):
        if isinstance(row, ConfigurationError):
            yield row
            continue
        texts = dict(row)
        model, key = texts.pop("model", "").strip(), texts.pop("key", "").strip()
        yield Line(file=str(path), number=number, model=model or None, key=key or None, texts=texts)


def _text(path: Path) -> Iterator[Line | ConfigurationError]:
    for number, text in enumerate(lines_in(path), 1):
        prompt = text.strip()
        if "\r" in prompt:
            what = "a carriage return within the line; save the file with line feeds, or a prompt of several lines as JSON"
            yield ConfigurationError(f"{path}, line {number}: {what}")
        elif prompt:
            yield Line(file=str(path), number=number, values={"prompt": prompt})


_READERS: Mapping[str, Callable[[Path], Iterator[Line | ConfigurationError]]] = {
    "jsonl": _json,
    "csv": _csv,
    "text": _text,
}
