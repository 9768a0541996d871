"""Measurements in interpreters of their own: nothing that one imported, cached or left behind meets another.

`fresh(function, …)` calls a function of a line in a new process and brings back its JSON-able result.
"""

import contextlib
import importlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
"""The folder that `benchmarks` lies in."""


class MeasurementFailed(Exception):
    """A process that measured ended badly; the text is what it said last."""


def cores() -> tuple[set[int], set[int]]:
    """The cores for a client and those for its server: apart where there are two."""
    here = sorted(os.sched_getaffinity(0))
    return (set(here[:-1]), set(here[-1:])) if len(here) > 1 else (set(here), set(here))


def fresh(function: Callable[..., Any], *, without: tuple[str, ...] = (), **arguments: Any) -> Any:
    """What `function(**arguments)` returns in a new interpreter, where the packages `without` are not found.

    Raises `MeasurementFailed`.
    """
    order = {"module": function.__module__, "name": function.__name__, "arguments": arguments}
    order["without"] = list(without)
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.fresh"],
        input=json.dumps(order),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise MeasurementFailed(done.stderr.strip()[-2000:] or f"it ended with code {done.returncode}")
    return json.loads(done.stdout.splitlines()[-1])


@contextlib.contextmanager
def beside(module: str) -> Iterator[int]:
    """A server in a process of its own, for as long as the block lasts: its port, which it writes to stdout."""
    command = [sys.executable, "-m", module]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.stdin.close()


def main() -> None:
    """The other end of `fresh`: takes the order from stdin, writes the result to stdout."""
    order = json.load(sys.stdin)
    for name in order["without"]:
        sys.modules[name] = None  # type: ignore[assignment]  # the import system's own way to say "not found"
    os.sched_setaffinity(0, cores()[0])
    function = getattr(importlib.import_module(order["module"]), order["name"])
    print(json.dumps(function(**order["arguments"])))


if __name__ == "__main__":
    main()
