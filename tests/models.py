"""The models of the samples: each as the service would describe it, with the example of its page and payloads
that are wrong for it.
"""  # noqa: D205  # one thought

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from gmi_video._schema import model_of
from gmi_video.catalog import Model

FOLDER = Path(__file__).parent / "samples" / "models"


class Wrong(NamedTuple):
    """A payload that is wrong for a model, and what is to be said of it."""

    model: str
    payload: dict[str, Any]
    parameter: str
    kind: str
    certain: bool
    words: str

    def __str__(self) -> str:
        return f"{self.model}-{self.parameter}-{self.kind}"


def _json(name: str) -> Any:
    return json.loads((FOLDER / name).read_text(encoding="utf-8"))


def _changed(payload: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """The payload with a change in it; long texts are written as what is repeated, and how often."""
    told = {
        name: value["repeat"] * value["times"] if isinstance(value, dict) and "times" in value else value
        for name, value in change.items()
    }
    return {name: value for name, value in {**payload, **told}.items() if value is not None}


IDS = tuple(sorted(path.name.removesuffix(".example.json") for path in FOLDER.glob("*.example.json")))
MODELS = {model_id: model_of(_json(f"{model_id}.json")) for model_id in IDS}
EXAMPLES: dict[str, dict[str, Any]] = {
    model_id: _json(f"{model_id}.example.json")["payload"] for model_id in IDS
}


def wrong() -> Iterator[Wrong]:
    """Every wrong payload of every sample."""
    for model_id in IDS:
        for row in _json(f"{model_id}.wrong.json"):
            change = row.pop("change")
            yield Wrong(model=model_id, payload=_changed(EXAMPLES[model_id], change), **row)


def model(*parameters: dict[str, Any], model_id: str = "a-model", **rest: Any) -> Model:
    """A model with these parameters, as the service would describe it."""
    return model_of({"model": model_id, "parameters": list(parameters), **rest})
