"""One file a line. A file here that holds a `LINE` is found and run; nothing else needs to know of it."""

from importlib import import_module
from pkgutil import iter_modules

from benchmarks.figures import Line


def found() -> list[Line]:
    """Every line, by its number."""
    modules = (import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__))
    return sorted((module.LINE for module in modules), key=lambda line: line.number)
