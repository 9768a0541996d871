"""Lines of a prompt file as requests: typed and checked by their models' schemas, and priced."""

from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import frozen

from gmi_video.batch.prompts import Line, Prompts
from gmi_video.catalog import Model
from gmi_video.cli.batch_files import with_files
from gmi_video.cli.desk import Desk
from gmi_video.cli.plain import printable
from gmi_video.cli.values import guessed, told, typed_by
from gmi_video.cli.wishes import Ready, explained
from gmi_video.errors import ConfigurationError, GmiVideoError, NotFound, PayloadInvalid, Unauthorized
from gmi_video.inputs import examined
from gmi_video.records import VideoRequest

if TYPE_CHECKING:
    from gmi_video.session import Session


_LATER = "run it again when it can, or write JSON lines"
"""Read otherwise than before, a cell would be another line, and would be paid for once more."""


@frozen(kw_only=True)
class Refused:
    """A line that cannot be sent, with the sentences that say why; `model` is empty where it names none."""

    place: str
    model: str
    why: tuple[str, ...]


@frozen(kw_only=True)
class Checked:
    """A line as it would be sent, with what its model's schema says of it."""

    line: Line
    ready: Ready


class Typist:
    """Makes requests of lines. Models are asked for when they are first met; what is common goes below a line."""

    def __init__(self, desk: Desk, session: "Session", model: str | None, base: Mapping[str, Any]) -> None:
        self._desk = desk
        self._session = session
        self._model = model
        self._base = base
        self._known: dict[str, Model | None] = {}
        self._missing: dict[str, str] = {}

    async def each(self, path: Path) -> AsyncIterator[Checked | Refused]:
        """The file's lines, each checked or refused; raises `ConfigurationError` where none behind can be read."""
        keys: dict[str, int] = {}
        for found in _found(path):
            checked = found if isinstance(found, Refused) else await self.check(found)
            if isinstance(checked, Checked) and checked.line.key is not None:
                line, name = checked.line, str(checked.line.key)
                first = keys.setdefault(name, line.number)
                if first != line.number:
                    why = f"its key {printable(name, 60)!r} is that of line {first}; keys are unique"
                    checked = Refused(place=line.place, model=checked.ready.request.model, why=(why,))
            yield checked

    async def check(self, line: Line) -> Checked | Refused:
        """A line with what its model says of it."""
        name = line.model or self._model or ""
        if name and name not in self._known and name not in self._missing:
            await self._ask(name)
        if name in self._missing:
            return Refused(place=line.place, model=name, why=(self._missing[name],))
        model = self._known.get(name)
        if model is None and line.texts and name:
            words = f"the catalog cannot be asked what {printable(name)} takes, and cells are read by that; {_LATER}"
            return Refused(place=line.place, model=name, why=(words,))
        try:
            request = line.made(self._model, self._payload(line, name, model))
            ready = _read(model, request)
        except (ConfigurationError, PayloadInvalid) as error:
            return Refused(
                place=line.place, model=name, why=(printable(error).removeprefix(f"{line.place}: "),)
            )
        if ready.refused:
            why = tuple(printable(problem) for problem in ready.problems if problem.certain)
            return Refused(place=line.place, model=name, why=why)
        return Checked(line=line, ready=ready)

    def _payload(self, line: Line, name: str, model: Model | None) -> dict[str, Any]:
        payload: dict[str, Any] = {**self._base, **line.values}
        for column, text in line.texts.items():
            said = told(column, text, "")
            parameter = model.parameter(column) if model else None
            if parameter is not None:
                payload[column] = typed_by(name, parameter, [said], "")
            else:
                payload[column] = guessed(said) if isinstance(said, str) else said
        return payload

    async def _ask(self, name: str) -> None:
        """Learns a model. One that is not there refuses its lines; a catalog that cannot be asked refuses none."""
        from gmi_video.settings import Patience  # noqa: PLC0415  # start-up stays quick without the network

        try:
            self._known[name] = await self._session.using(patience=Patience(attempts=3)).model(name)
        except NotFound as error:
            self._missing[name] = printable(await explained(self._session, name, error))
        except (ConfigurationError, Unauthorized):
            raise
        except GmiVideoError as error:
            self._known[name] = None
            self._desk.warn(f"{printable(error)}. So lines of {printable(name)} are sent without its schema")


def _read(model: Model | None, request: VideoRequest) -> Ready:
    """A line with what its model says of it; what it means by a file of this machine is that file.

    Raises `ConfigurationError` or `PayloadInvalid` for a file that cannot be sent, and for a path that would be
    sent as a text: the service takes it, charges it, and makes nothing of it.
    """
    meant = with_files(request.payload, model)
    if meant != request.payload:
        request = VideoRequest(request.model, meant, key=request.key)
    seen = examined(request.payload)
    if model is None:
        return Ready(request=request)
    return Ready(request=request, problems=model.check(seen), cost=model.price_of(seen))


async def requests(typist: Typist, path: Path, *, skip: bool) -> AsyncIterator[VideoRequest]:
    """The file's requests. Raises `PayloadInvalid` for a line that would be refused, unless those are skipped."""
    async for found in typist.each(path):
        if isinstance(found, Checked):
            yield found.ready.request
        elif not skip:
            message = f"{found.place}: {'; '.join(found.why)}; the file has changed since it was checked"
            raise PayloadInvalid(message)


def _found(path: Path) -> Iterator[Line | Refused]:
    """All that a file holds: a line that cannot be read is refused, and what follows it is read on."""
    prompts = Prompts(path)
    while True:
        try:
            line = next(prompts)
        except StopIteration:
            return
        except ConfigurationError as error:
            place, sign, why = str(error).removeprefix(f"{path}, ").partition(": ")
            if not sign or str(error).startswith(place):
                raise
            yield Refused(place=f"{path}, {place}", model="", why=(printable(why),))
        else:
            yield line
