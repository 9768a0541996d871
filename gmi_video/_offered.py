"""The catalog as a door lists it: with an API key bare ids, at the console whole models."""

from collections.abc import Mapping

from attrs import frozen

from gmi_video._schema import model_of
from gmi_video.catalog import Model
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
    whole = [
        item
        for item in items_of(data, *CATALOG)
        if isinstance(item, Mapping) and "parameters" in item and (item.get("model") or item.get("id"))
    ]
    return Offered(ids=ids, models=tuple(model_of(item) for item in whole))
