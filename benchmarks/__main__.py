"""`python -m benchmarks [NAME…] [--list] [--quick]`: one table on stdout, and the same as JSON."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from attrs import asdict, frozen

from benchmarks import lines
from benchmarks.figures import Effort, Figure, Line
from benchmarks.fresh import MeasurementFailed
from benchmarks.machine import Machine, load
from benchmarks.table import row, table

_HOME = Path(__file__).resolve().parent


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="lines to run, by name or number; else all")
    parser.add_argument("--list", action="store_true", help="show the lines and end")
    parser.add_argument(
        "--quick", action="store_true", help="few rounds: to see that it runs, not to publish"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="where to write; benchmarks/results*.json")
    return parser


@frozen(kw_only=True)
class Measured:
    """A line that was run: its figures, and the machine's load before and after."""

    line: Line
    figures: tuple[Figure, ...]
    load: tuple[float, float]

    def as_dict(self) -> dict[str, object]:
        """All of it for JSON."""
        return {
            "number": self.line.number,
            "what": self.line.what,
            "load": list(self.load),
            "figures": [figure.as_dict() for figure in self.figures],
        }


def run(line: Line, effort: Effort) -> Measured:
    """Runs one line; a process that ended badly is a figure that could not be had."""
    print(f"{line.number} {line.name} …", file=sys.stderr, flush=True)
    before = load()
    try:
        figures = tuple(line.measure(effort))
    except MeasurementFailed as error:
        figures = (Figure(what=line.what, value=None, unit="", note=str(error)),)
    return Measured(line=line, figures=figures, load=(before, load()))


def report(machine: Machine, results: Sequence[Measured]) -> str:
    """What people read: the machine, the table, and the notes to its rows."""
    pairs = [(result, figure) for result in results for figure in result.figures]
    words = ", ".join(f"{name} {version}" for name, version in machine.versions.items())
    notes = [f"{result.line.number}  {figure.what}: {figure.note}" for result, figure in pairs if figure.note]
    loads = [f"{result.line.name} {result.load[0]} to {result.load[1]}" for result in results]
    return "\n".join(
        (
            f"{machine.date}  {machine.processor}, {machine.cores} cores, {machine.system}",
            words,
            "",
            table(row(result.line.number, figure) for result, figure in pairs),
            "",
            *notes,
            f"load: {', '.join(loads)}",
        )
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; 2 where a name is not a line's."""
    parser = _parser()
    asked = parser.parse_args(arguments)
    known = lines.found()
    if asked.list:
        for line in known:
            print(f"{line.number:>2}  {line.name:<10} {line.what}")
        return 0
    chosen = [line for line in known if not asked.names or {line.name, str(line.number)} & set(asked.names)]
    unknown = set(asked.names) - {word for line in known for word in (line.name, str(line.number))}
    if unknown:
        parser.error(f"no line is called {', '.join(sorted(unknown))}; see --list")
    machine = Machine.here()
    effort: Effort = "quick" if asked.quick else "whole"
    results = [run(line, effort) for line in chosen]
    print(report(machine, results))
    whole = {
        "effort": effort,
        "machine": asdict(machine),
        "lines": {result.line.name: result.as_dict() for result in results},
    }
    part = "-" + "-".join(line.name for line in chosen) if asked.names else ""
    target = asked.json or _HOME / f"results{part}.json"
    target.write_text(json.dumps(whole, indent=1, ensure_ascii=False) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
