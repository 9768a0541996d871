"""Records as rows of tables. Links are shown without their query, which may be a secret. Pure."""

from gmi_video.catalog import Model, Parameter
from gmi_video.cli.plain import Column, printable
from gmi_video.cli.times import moment, span
from gmi_video.cli.values import allowed, spelt
from gmi_video.records import Snapshot, without_query

STANDING = (
    Column("id", whole=True),
    Column("model"),
    Column("status", whole=True),
    Column("created"),
    Column("took", right=True),
    Column("result"),
)
HISTORY = STANDING[:-1]
MODELS = (
    Column("model", whole=True),
    Column("takes"),
    Column("makes"),
    Column("price"),
    Column("details"),
)
PARAMETERS = (
    Column("parameter", whole=True),
    Column("type"),
    Column("required"),
    Column("default"),
    Column("allowed"),
    Column("description"),
)


def history(snapshot: Snapshot) -> tuple[str, ...]:
    """A request as a row of `HISTORY`; how long it took is known of one that has ended."""
    took = "-"
    if snapshot.final and snapshot.created_at and snapshot.updated_at:
        took = span((snapshot.updated_at - snapshot.created_at).total_seconds())
    word = snapshot.word or snapshot.status.value
    return (snapshot.request_id, snapshot.model, word, moment(snapshot.created_at), took)


def standing(snapshot: Snapshot) -> tuple[str, ...]:
    """A request as a row of `STANDING`: its bare link, or why it failed."""
    if snapshot.failure is not None:
        result = str(snapshot.failure)
    else:
        url = snapshot.outcome.url if snapshot.outcome else None
        result = without_query(url) if url else "-"
    return (*history(snapshot), result)


def listed(model: Model) -> tuple[str, ...]:
    """A model as a row of `MODELS`."""
    price = str(model.price) if model.price else "not stated"
    details = model.price.details if model.price else ""
    return (model.id, ", ".join(model.inputs) or "-", ", ".join(model.outputs) or "-", price, details)


def parameter(item: Parameter) -> tuple[str, ...]:
    """A parameter as a row of `PARAMETERS`."""
    default = "-" if item.default is None else spelt(item.default) or '""'
    required = "yes" if item.required else ""
    return (item.name, item.type, required, default, allowed(item), item.description)


def heading(model: Model) -> list[str]:
    """What is to be said of a model above the table of its parameters."""
    lines = [model.id if not model.owner else f"{model.id}, by {model.owner}"]
    if model.description:
        lines.append(model.description)
    price = "not stated" if model.price is None else str(model.price)
    if model.price is not None and model.price.details:
        price = f"{price} ({model.price.details})"
    lines.append(f"Price: {price}")
    if model.synchronous:
        lines.append("Synchronous: the submission itself answers with the finished result.")
    return [printable(text) for text in lines]
