"""What may import what: the table of rooms, and the reader that finds where a source breaks it.

A new room needs one line in `ROOMS`. A room may import every room of a lower level and none else, so its
level is one more than the highest of those that it imports.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, TypeGuard

import gmi_video

HOUSE = Path(gmi_video.__file__).parent


class Room(NamedTuple):
    """Where a room stands, and whether it is pure: values in, values out."""

    level: int
    pure: bool = True


DRIVER = False

ROOMS = {
    "records": Room(0),
    "_secret": Room(0),
    "_address": Room(0),
    "login": Room(1),
    "_choice": Room(2),
    "_words": Room(0),
    "_pulse": Room(0),
    "_torn": Room(0),
    "_mp4": Room(1),
    "_webm": Room(1),
    "_stills": Room(1),
    "_container": Room(2),
    "_range": Room(1),
    "_digests": Room(2, DRIVER),
    "_claim": Room(2, DRIVER),
    "_part": Room(4, DRIVER),
    "_stint": Room(1, DRIVER),
    "_ahead": Room(2, DRIVER),
    "_blocks": Room(5, DRIVER),
    "_servertime": Room(0),
    "_lifetimes": Room(0),
    "_rate": Room(0),
    "_shards": Room(0),
    "_queue": Room(0),
    "_picture": Room(0),
    "_rules": Room(0),
    "_suggest": Room(0),
    "_source": Room(0),
    "payloads": Room(0),
    "_tariff": Room(0),
    "_lane": Room(2, DRIVER),
    "_offload": Room(0, DRIVER),
    "_pool": Room(0),
    "_recent": Room(0),
    "_crew": Room(0, DRIVER),
    "catalog": Room(1),
    "_known": Room(1),
    "_facts": Room(2),
    "_spending": Room(2),
    "_price": Room(2),
    "_measures": Room(3),
    "_values": Room(4),
    "_nested": Room(5),
    "_check": Room(6),
    "stubs": Room(4),
    "ledger": Room(1),
    "_likeness": Room(2),
    "_fence": Room(0, DRIVER),
    "_echo": Room(3),
    "_samples": Room(3),
    "notices": Room(1),
    "_kind": Room(1),
    "_quota": Room(1),
    "estimate": Room(1),
    "statistics": Room(1),
    "errors": Room(1),
    "_governor": Room(2),
    "_budget": Room(3),
    "_lag": Room(0, DRIVER),
    "events": Room(3),
    "settings": Room(3),
    "_vet": Room(4, DRIVER),
    "_decode": Room(3),
    "_files": Room(3, DRIVER),
    "_matter": Room(3),
    "_number": Room(4),
    "_ledger": Room(5),
    "_desk": Room(5, DRIVER),
    "_observe": Room(3, DRIVER),
    "_outcome": Room(3),
    "_cadence": Room(3),
    "_sweep": Room(1),
    "_payload": Room(3),
    "_schema": Room(3),
    "_backoff": Room(4),
    "_worth": Room(2),
    "_flock": Room(4),
    "_convert": Room(4),
    "_envelope": Room(3),
    "_ending": Room(4),
    "_entry": Room(5),
    "_due": Room(6),
    "_line": Room(6, DRIVER),
    "_past": Room(6),
    "_roster": Room(6),
    "_lives": Room(6),
    "_rhythm": Room(7),
    "_fleet": Room(7),
    "_inbox": Room(4),
    "_keyring": Room(4, DRIVER),
    "_links": Room(4),
    "_proxy": Room(4, DRIVER),
    "_refusal": Room(5),
    "_saving": Room(5, DRIVER),
    "_schedule": Room(8),
    "_poller": Room(9, DRIVER),
    "_tending": Room(10, DRIVER),
    "_ids": Room(5),
    "wire": Room(6),
    "_offered": Room(7),
    "_early": Room(7),
    "_account": Room(7),
    "_door": Room(8),
    "_look": Room(9),
    "_console": Room(9, DRIVER),
    "transfer": Room(1),
    "_tap": Room(5, DRIVER),
    "_stream": Room(7, DRIVER),
    "_storage": Room(8, DRIVER),
    "_link": Room(9, DRIVER),
    "_carrying": Room(9, DRIVER),
    "_downloads": Room(10, DRIVER),
    "_fate": Room(7),
    "_gate": Room(7, DRIVER),
    "_exchange": Room(9, DRIVER),
    "_patient": Room(5, DRIVER),
    "_sheet": Room(6),
    "_forms": Room(1),
    "_strangers": Room(5),
    "_lookout": Room(10, DRIVER),
    "_counts": Room(11),
    "_unfinished": Room(1),
    "_call": Room(0),
    "_catalog": Room(9, DRIVER),
    "_listing": Room(7),
    "_foreign": Room(7, DRIVER),
    "_bodies": Room(8, DRIVER),
    "_transport": Room(9, DRIVER),
    "_watch": Room(10, DRIVER),
    "_survey": Room(8),
    "_memory": Room(4),
    "_round": Room(9, DRIVER),
    "_reconcile": Room(10, DRIVER),
    "_book": Room(11, DRIVER),
    "_lost": Room(12, DRIVER),
    "_post": Room(12, DRIVER),
    "_submission": Room(13, DRIVER),
    "_engine": Room(14, DRIVER),
    "_view": Room(15, DRIVER),
    "_money": Room(16, DRIVER),
    "_transfers": Room(16, DRIVER),
    "_standing": Room(16),
    "_file_type": Room(1),
    "_duration": Room(2),
    "_fragments": Room(0),
    "_checks": Room(2),
    "_mp3": Room(0),
    "_entire": Room(2),
    "_local": Room(1),
    "_opening": Room(3, DRIVER),
    "inputs": Room(4, DRIVER),
    "_chunks": Room(3, DRIVER),
    "_contents": Room(5, DRIVER),
    "_presigned": Room(7),
    "_uploads": Room(8, DRIVER),
    "_supply": Room(9, DRIVER),
    "_sending": Room(16, DRIVER),
    "session": Room(17, DRIVER),
    "__init__": Room(18, DRIVER),
}
OUTER = {"__main__", "batch", "cli", "contrib", "sandbox", "sync", "testing"}

UPWARD = {("records", "_convert"), ("catalog", "_check"), ("catalog", "_price")}
"""The imports that point up, deferred into the methods that need them: `as_dict`, `from_dict`, `check`, `price_of`."""
IMPURE = frozenset(
    [
        "aiohttp",
        "anyio",
        "asyncio",
        "concurrent",
        "ctypes",
        "http",
        "logging",
        "multiprocessing",
        "os",
        "queue",
        "random",
        "secrets",
        "select",
        "selectors",
        "shutil",
        "signal",
        "socket",
        "sqlite3",
        "ssl",
        "subprocess",
        "tempfile",
        "threading",
        "time",
        "urllib.request",
        "uuid",
    ]
)
ONLY = {"aiohttp": ("_transport", "_foreign", "_bodies"), "cattrs": ("_convert",)}
AS_A_TYPE = {("records", "os"): {"PathLike"}}
CLOCKS = {"now", "utcnow", "today"}
_MACHINERY = {room for room in ROOMS if room.startswith("_") and room != "__init__"}


class Import(NamedTuple):
    """One import as it stands in a file: `module`, the `name` taken of it, and whether a function defers it."""

    module: str
    name: str
    deferred: bool


def _is_dotted(value: object) -> TypeGuard[str]:
    """Whether a constant is the name of a module of ours, as importlib is told it."""
    return isinstance(value, str) and value.startswith("gmi_video.") and " " not in value


def _imports(nodes: list[ast.AST]) -> Iterator[Import]:
    deferred = {
        id(node)
        for function in nodes
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(function)
    }
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (Import(alias.name, "", id(node) in deferred) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = "gmi_video." if node.level else ""
            module = f"{above}{node.module or ''}".rstrip(".")
            yield from (Import(module, alias.name, id(node) in deferred) for alias in node.names)
        elif isinstance(node, ast.Constant) and _is_dotted(node.value):
            yield Import(node.value, "", id(node) in deferred)


def _room(found: Import) -> str | None:
    """The room of ours that an import reaches, or None where it is not ours."""
    first, _, rest = found.module.partition(".")
    if first != "gmi_video":
        return None
    if rest:
        return rest.partition(".")[0]
    named = found.name in ROOMS or found.name in OUTER
    return found.name if named or re.match(r"_[a-z]", found.name) else "__init__"


def _upward(room: str, found: Import) -> str | None:
    target = _room(found)
    if target is None or target == room or ((room, target) in UPWARD and found.deferred):
        return None
    if target not in ROOMS:
        return f"imports {target}, which is no room of the core"
    if ROOMS[target].level >= ROOMS[room].level:
        return f"imports {target} of level {ROOMS[target].level}; imports point down"
    return None


def _foreign(room: str, found: Import) -> str | None:
    first = found.module.partition(".")[0]
    if first in ONLY and room not in ONLY[first]:
        return f"imports {first}, which only {' and '.join(ONLY[first])} may"
    if not ROOMS[room].pure or (first not in IMPURE and found.module not in IMPURE):
        return None
    if (first, found.name) == ("random", "Random") or (room, first) in AS_A_TYPE:
        return None
    return f"imports {found.module}, and a pure room asks nobody"


def _asks(room: str, node: ast.AST) -> str | None:
    """What a pure room does with a name that it may hold as a type only."""
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        allowed = AS_A_TYPE.get((room, node.value.id))
        if allowed is not None and node.attr not in allowed:
            return f"uses {node.value.id}.{node.attr}, where {node.value.id} is there for a type only"
    if isinstance(node, ast.Call):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name in CLOCKS or name in {"Random", "open"}:
            return f"calls {name}(): now and rng are handed in"
    return None


def breaches(room: str, source: str) -> list[str]:
    """What a room of the core does against the law."""
    nodes = list(ast.walk(ast.parse(source)))
    found = [
        breach for item in _imports(nodes) for breach in (_upward(room, item), _foreign(room, item)) if breach
    ]
    if ROOMS[room].pure:
        found += [breach for node in nodes if (breach := _asks(room, node))]
    return found


def side_doors(source: str) -> list[str]:
    """What an outer room imports that is not public."""
    reached = [_room(found) for found in _imports(list(ast.walk(ast.parse(source))))]
    return [
        f"imports {room}: outer rooms come in by the front door"
        for room in reached
        if room and room in _MACHINERY
    ]
