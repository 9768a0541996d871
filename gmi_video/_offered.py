"""The catalog as a door lists it: with an API key bare ids, at the console whole models."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress

from attrs import frozen

from gmi_video._schema import model_of
from gmi_video.catalog import Model
from gmi_video.errors import MalformedResponse
from gmi_video.wire import CATALOG, Call, Reply, items_of, model_ids, read


@frozen(kw_only=True)
class Offered:
    """All ids of a catalog, each once, and the models that its list describes whole."""

    ids: tuple[str, ...] = ()
    models: tuple[Model, ...] = ()


def read_offered(call: Call, reply: Reply) -> Offered:
    """What the list of models says, in whichever envelope it comes."""
    found: Offered = read(call, reply, _offered)
    return found


def _offered(data: object) -> Offered:
    ids = model_ids(data)
    return Offered(ids=ids, models=tuple(_whole(items_of(data, *CATALOG))))


def _whole(items: Iterable[object]) -> Iterator[Model]:
    """The models among the entries, but for those whose parameters are left to the model's own page.

    An entry that describes no model takes nothing from the others.
    """
    for item in items:
        if isinstance(item, Mapping) and item.get("parameters"):
            with suppress(MalformedResponse):
                yield model_of(item)
