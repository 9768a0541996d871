"""Typed payloads: what `gmi-video stubs` writes, and what `VideoRequest.of` makes of them."""

import ast
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from attrs import field, frozen
from hypothesis import given
from hypothesis import strategies as st
from models import EXAMPLES, IDS, MODELS, model
from searching import search

from gmi_video.catalog import Model
from gmi_video.payloads import at_most, between, one_of
from gmi_video.records import Media, VideoRequest
from gmi_video.stubs import module_of

SOURCE, DATE = "https://console.gmicloud.ai/api/v1/ie/requestqueue/apikey", "2026-01-31"
ROOT = Path(__file__).parents[1]
ODD = model(
    {
        "name": "class",
        "required": True,
        "description": 'a """ and a \\ and a \u201csmart\u201d \u2013 dash\n# not code',
    },
    {"name": "max-images", "type": "integer", "min_value": "1", "max_value": "15", "default_value": "3"},
    {"name": "2x", "type": "float", "options": [0.5, 1.5]},
    {"name": "_hidden", "type": "hologram"},
    {"name": "camelCase", "type": "boolean", "default_value": False},
    {"name": "mode", "type": "enum", "options": ['a"b', "c'd", "\u00e9", None, 5, True, "e\\f\n"]},
    {"name": "shape", "type": "object"},
    {"name": "l", "type": "array", "max_value": 4},
    {"name": "a b", "type": "string"},
    {"name": "a_b", "type": "string", "max_value": 9},
    {"name": "field", "type": "float", "min": 0},
    {"name": "Any", "type": "float", "max": 1.5},
    {"name": "str", "type": "string", "description": "d" * 200_000},
    {"name": "between", "type": "integer", "min": 1, "max": 2},
    {"name": "self", "type": "string"},
    {"name": "twice", "type": "enum", "options": ["5", "5", 1, True, 1]},
    {"name": "several", "type": "array", "options": ["a", "b"]},
    {"name": "labelled", "type": "enum", "options": [{"label": "a"}]},
    {"name": "last", "type": "hologram"},
    model_id="9-odd/\u043c\u043e\u0434\u0435\u043b\u044c",
    brief_description="x" * 200_000,
)
ALL = [
    *MODELS.values(),
    ODD,
    model(model_id="Any"),
    model({"name": "seed", "type": "integer"}, model_id="any"),
]


def written(*models: Model) -> str:
    """The module of these models."""
    return module_of(models, source=SOURCE, date=DATE)


def loaded(*models: Model) -> ModuleType:
    """The module of these models, imported."""
    module = ModuleType("payloads")
    exec(compile(written(*models), "payloads.py", "exec"), module.__dict__)  # what was written is to be run
    return module


def class_of(module: ModuleType, model_id: str) -> Any:
    """The class of a model in a module."""
    return next(kind for kind in vars(module).values() if getattr(kind, "__model__", None) == model_id)


def test_the_same_models_make_the_same_text() -> None:
    """The output depends on nothing but the models, their source and the date that the caller gives."""
    assert written(*ALL) == written(*reversed(ALL), *ALL)


def test_the_module_says_from_which_catalog_and_when() -> None:
    """Whoever finds the file knows where it is from."""
    said = ast.get_docstring(ast.parse(written(MODELS["Veo3"]))) or ""

    assert SOURCE in said
    assert DATE in said
    assert said.startswith("Payloads of 1 model of GMI Cloud.")


@pytest.mark.parametrize("model_id", IDS)
def test_the_example_of_a_page_can_be_written_in_types(model_id: str) -> None:
    """A typed payload is the request that the page sends, nulls left out."""
    told = {name: value for name, value in EXAMPLES[model_id].items() if value is not None}
    payload = class_of(loaded(MODELS[model_id]), model_id)(**told)

    assert VideoRequest.of(payload, key=7) == VideoRequest(model_id, told, key=7)
    assert VideoRequest.of(payload).payload == told


def test_names_that_python_does_not_allow_reach_the_service_as_they_are() -> None:
    """A field has the nearest name that Python allows, and is sent under the API's own."""
    payload = class_of(loaded(ODD), ODD.id)(
        class_="c",
        max_images=2,
        p_2x=0.5,
        hidden=1,
        l_=[1],
        a_b="first",
        a_b2="second",
        field_=1,
        Any_=1.0,
        str_="s",
    )

    assert VideoRequest.of(payload).payload == {
        "class": "c",
        "max-images": 2,
        "2x": 0.5,
        "_hidden": 1,
        "l": [1],
        "a b": "first",
        "a_b": "second",
        "field": 1,
        "Any": 1.0,
        "str": "s",
    }


@pytest.mark.parametrize(
    ("model_id", "change"),
    [
        ("wan2.7-t2v", {"duration": 16}),
        ("wan2.7-t2v", {"duration": 5.0}),
        ("wan2.7-t2v", {"duration": True}),
        ("wan2.7-t2v", {"ratio": "2:1"}),
        ("pixverse-v5.6-t2v", {"duration": 5}),
        ("wan2.6-t2v", {"duration": "5"}),
        ("Kling-Text2Video-V2.1-Master", {"cfg_scale": 1.5}),
    ],
)
def test_options_and_ranges_are_validators(model_id: str, change: dict[str, Any]) -> None:
    """What the schema excludes cannot be made, and the sentence names class, field and what is wanted."""
    kind = class_of(loaded(MODELS[model_id]), model_id)

    with pytest.raises(ValueError, match=rf"{kind.__name__}\.{next(iter(change))} is .*; .* is wanted"):
        kind(**{**EXAMPLES[model_id], **change})


def test_what_our_rules_know_is_no_validator() -> None:
    """Only the live schema binds a type; what pages say is for `check` to warn of."""
    kind = class_of(loaded(model({"name": "prompt"}, model_id="wan2.7-t2v")), "wan2.7-t2v")

    assert kind(prompt="x" * 9999).prompt


def test_the_docstrings_tell_description_unit_default_and_range() -> None:
    """An editor shows what the catalog says."""
    described = model(
        {"name": "duration", "type": "integer", "min_value": 2, "max_value": 15, "default_value": 5},
        {"name": "prompt", "description": "What is to be seen", "required": True},
        brief_description="Makes clips",
        price_info={"price": 152000, "unit": "second"},
    )
    text = written(described)

    assert '"""In seconds. From 2 to 15. Default: 5."""' in text
    assert '"""What is to be seen."""' in text
    assert "Makes clips." in text
    assert "$0.152 per second." in text


def test_a_payload_may_hold_what_stands_for_a_link() -> None:
    """A file of an earlier request is handed on as it is."""
    kind = class_of(loaded(MODELS["wan2.6-i2v"]), "wan2.6-i2v")

    assert VideoRequest.of(kind(img_url=Media("https://a.example/b.png"))).payload["img_url"] == Media(
        "https://a.example/b.png"
    )


@frozen
class Untold:
    prompt: str = "a"


@pytest.mark.parametrize("value", [Untold(), {"prompt": "a"}, object()])
def test_only_payload_classes_are_taken(value: object) -> None:
    """Anything else is refused with a sentence, and not guessed at."""
    with pytest.raises(TypeError, match="payload class of `gmi-video stubs`"):
        VideoRequest.of(value)


@frozen(kw_only=True)
class Bounded:
    kind: Any = field(default=None, validator=one_of(["5", True]))
    share: Any = field(default=None, validator=between(0, None))
    count: Any = field(default=None, validator=between(None, 3, whole=True))
    text: Any = field(default=None, validator=at_most(3))


@pytest.mark.parametrize(
    "good", [{}, {"kind": "5"}, {"share": 0.5}, {"count": 3}, {"text": "abc"}, {"text": 5}]
)
def test_the_validators_let_pass_what_fits(good: dict[str, Any]) -> None:
    """None is always let through: it says that nothing is sent."""
    assert Bounded(**good)


@pytest.mark.parametrize(
    "bad",
    [
        {"kind": 5},
        {"kind": 1},
        {"share": -1},
        {"share": True},
        {"count": 4},
        {"count": 2.0},
        {"text": "abcd"},
    ],
)
def test_the_validators_refuse_the_rest(bad: dict[str, Any]) -> None:
    """5 is not "5", 1 is not True, 2.0 is no whole number."""
    with pytest.raises(ValueError, match="is wanted"):
        Bounded(**bad)


@given(
    st.lists(
        st.fixed_dictionaries(
            {"name": st.text(min_size=1, max_size=6)},
            optional={
                "type": st.sampled_from(["string", "integer", "float", "boolean", "array", "image", "?"]),
                "description": st.text(max_size=40),
                "options": st.lists(st.text(max_size=4) | st.integers() | st.booleans(), max_size=3),
                "default_value": st.text(max_size=5) | st.integers(),
                "required": st.booleans(),
            },
        ),
        max_size=4,
    ),
    st.text(min_size=1, max_size=8),
)
@search(60, of=200)
def test_whatever_the_catalog_says_becomes_python(parameters: list[dict[str, Any]], model_id: str) -> None:
    """Names, options and descriptions of any signs leave a module that runs and keeps the API's names."""
    described = model(*parameters, model_id=model_id)
    kind = class_of(loaded(described), model_id)

    names = [item.metadata.get("name", item.name) for item in kind.__attrs_attrs__]
    assert names == list(dict.fromkeys(parameter.name for parameter in described.parameters))


def _passes(*command: str, at: Path) -> None:
    done = subprocess.run(command, cwd=at, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def module(tmp_path: Path) -> Path:
    """A file with the payloads of every sample, and of a model with odd names."""
    path = tmp_path / "package" / "payloads.py"
    path.parent.mkdir()
    path.with_name("__init__.py").touch()
    path.write_text(written(*ALL), encoding="utf-8")
    return path


@pytest.mark.parametrize("config", [["--isolated"], ["--config", str(ROOT / "pyproject.toml")]])
def test_what_is_written_passes_ruff(module: Path, config: list[str]) -> None:
    """Neither the linter's defaults nor this project's find anything, and the formatter leaves it as it is."""
    ruff = shutil.which("ruff", path=str(Path(sys.executable).parent)) or shutil.which("ruff")
    if ruff is None:
        pytest.skip("ruff is not installed")

    _passes(ruff, "check", "--no-cache", *config, str(module), at=ROOT)
    _passes(ruff, "format", "--no-cache", "--check", *config, str(module), at=ROOT)


def test_what_is_written_passes_mypy(module: Path) -> None:
    """Strict typing finds nothing."""
    pytest.importorskip("mypy")
    strict = ["--strict", "--follow-imports=silent", "--cache-dir", str(module.parent / "cache")]

    _passes(sys.executable, "-m", "mypy", "--config-file=", *strict, str(module), at=ROOT)
