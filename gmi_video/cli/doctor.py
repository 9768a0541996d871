"""The command `doctor`: which door was taken and why, what opens it, and what the service answers there."""

import os
import time
from typing import Annotated, Any

import cyclopts
from attrs import define, field

from gmi_video.cli import diagnosis, exits, options
from gmi_video.cli.desk import Desk
from gmi_video.cli.entrance import settings
from gmi_video.cli.guard import guarded
from gmi_video.cli.interrupt import Running
from gmi_video.cli.plain import printable
from gmi_video.errors import ConfigurationError, GmiVideoError
from gmi_video.notices import Exchange, Notice
from gmi_video.settings import Settings

VARIABLES = (
    "GMI_DOOR",
    "GMI_API_KEY",
    "GMI_CLOUD_API_KEY",
    "GMI_CLOUD_APIKEY",
    "GMI_CLOUD_EMAIL",
    "GMI_CLOUD_PASSWORD",
    "GMI_ORG_ID",
    "GMI_BASE_URL",
    "GMI_CATALOG_URL",
)


@define
class Report:
    """What was found, line by line, and what is wrong with it."""

    lines: dict[str, Any] = field(factory=dict)
    problems: list[str] = field(factory=list)
    code: int = exits.OK

    def told(self, desk: Desk) -> int:
        """Says all of it; the exit code."""
        if desk.manner.json:
            desk.json({**self.lines, "problems": self.problems})
        for name, value in self.lines.items():
            if not desk.manner.json:
                desk.data(f"{name:<13} {printable(value)}")
        for problem in self.problems:
            desk.fail(printable(problem))
        if not self.problems:
            desk.note("All is well.")
        return self.code if self.code or not self.problems else exits.FAILED


def doctor(
    *,
    model: Annotated[
        str, cyclopts.Parameter(name="--model", metavar="ID", help="Also see whether this model is listed.")
    ] = "",
    json: options.Json = False,
) -> int:
    """Tells how this machine reaches the queue, and what is wrong with that. Nothing of it costs anything.

    No key, password or token is shown, not even in part.
    """

    async def work(desk: Desk, _running: Running) -> int:
        report = Report()
        seen = [name for name in VARIABLES if os.environ.get(name, "").strip()]
        report.lines["variables"] = ", ".join(seen) or "none"
        try:
            found = settings()
        except ConfigurationError as error:
            report.problems.append(str(error))
            report.code = exits.USAGE
            return report.told(desk)
        now = time.time()
        report.lines["door"] = found.chosen
        report.lines["queue"] = found.base_url
        if found.catalog_url is not None:
            report.lines["models at"] = found.catalog_url
        report.lines["opened by"] = diagnosis.opener(found, os.environ, now)
        report.lines["organisation"] = "GMI_ORG_ID" if found.organization else "that of the key or login"
        report.problems += diagnosis.of_settings(found, os.environ, now)
        try:
            await _examined(report, found, model)
        except GmiVideoError as error:
            report.problems += [str(error), *diagnosis.of_error(error, found)]
            report.code = exits.code_of(error)
        return report.told(desk)

    return guarded(work, as_json=json)


async def _examined(report: Report, found: Settings, model: str) -> None:
    """Asks for the models, and for whose login it is; raises what that raises."""
    from gmi_video.session import Session  # noqa: PLC0415  # start-up stays quick without the network

    calls: list[Exchange] = []

    def observe(notice: Notice) -> None:
        if isinstance(notice, Exchange):
            calls.append(notice)

    async with Session(found, observers=[observe]) as session:
        try:
            ids = await session.models()
            last = next(call for call in reversed(calls) if call.operation == "models")
            report.lines["GET /models"] = f"{last.status} in {last.seconds:.2f} s: {len(ids)} models"
            report.problems += diagnosis.of_model(model, ids)
            if found.login is not None:
                whose = await session.profile()
                report.lines["logged in"] = (
                    f"{whose.name or whose.user_id}, organisation {whose.organization}"
                )
        finally:
            if "GET /models" not in report.lines:
                asked = [call for call in calls if call.operation == "models"]
                told = (
                    f"{asked[-1].status or asked[-1].error}: no list of models" if asked else "was not asked"
                )
                report.lines["GET /models"] = told
            skew = session.clock_skew()
            if skew is not None:
                side = "ahead of" if skew >= 0 else "behind"
                report.lines["clock"] = f"the service's is {abs(skew):.1f} s {side} this machine's"
            report.problems += diagnosis.of_skew(skew)
