"""Text from the command line becomes what the model's schema asks for, or is refused before it costs."""

import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gmi_video.catalog import Parameter
from gmi_video.cli.values import allowed, base_of, filled, guessed, pairs_of, read_text
from gmi_video.errors import ConfigurationError
from gmi_video.inputs import Inline

PIXVERSE = Parameter(name="duration", type="enum", options=("5", "8", "10"))
WAN = Parameter(name="duration", type="integer", minimum=2, maximum=15)


def typed(parameter: Parameter, *texts: str) -> Any:
    ready = filled("m", {}, {parameter.name: list(texts)}, [parameter])
    assert ready.warnings == ()
    return ready.payload[parameter.name]


def test_the_schema_decides_whether_a_number_is_text() -> None:
    """The same text is the string "5" for pixverse and the number 5 for wan."""
    pixverse, wan = typed(PIXVERSE, "5"), typed(WAN, "5")

    assert pixverse == "5"
    assert wan == 5
    assert type(wan) is int


@pytest.mark.parametrize(
    ("kind", "texts", "value"),
    [
        ("integer", ["-3"], -3),
        ("integer", ["5.0"], 5),
        ("integer", ["18446744073709551615"], 2**64 - 1),
        ("float", ["0.5"], 0.5),
        ("number", ["1e3"], 1000.0),
        ("boolean", ["true"], True),
        ("boolean", ["No"], False),
        ("boolean", ["on"], True),
        ("boolean", ["0"], False),
        ("string", ["5"], "5"),
        ("string", ["true"], "true"),
        ("string", [""], ""),
        ("enum", ["free"], "free"),
        ("image", ["https://x.test/a.png"], "https://x.test/a.png"),
        (
            "image",
            ["https://x.test/a.png", "https://x.test/b.png"],
            ["https://x.test/a.png", "https://x.test/b.png"],
        ),
        ("array", ["[1, 2]"], [1, 2]),
        ("array", ["one"], ["one"]),
        ("array", ["one", "2"], ["one", "2"]),
        ("array", ['{"a": 1}', '{"b": 2}'], [{"a": 1}, {"b": 2}]),
        ("object", ['{"a": [1]}'], {"a": [1]}),
        ("unheard-of", ["5"], 5),
        ("unheard-of", ["five"], "five"),
    ],
)
def test_a_text_becomes_the_type_of_its_parameter(kind: str, texts: list[str], value: Any) -> None:
    """Numbers, switches, texts, lists and objects are read as their parameter's type says."""
    found = typed(Parameter(name="p", type=kind), *texts)

    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("parameter", "texts", "words"),
    [
        (WAN, ["five"], "a whole number is wanted"),
        (WAN, ["5.5"], "a whole number is wanted"),
        (WAN, ["nan"], "a whole number is wanted"),
        (WAN, ["16"], "2 to 15 is wanted"),
        (WAN, ["5", "6"], "given 2 times"),
        (Parameter(name="p", type="float"), ["inf"], "a number is wanted"),
        (Parameter(name="p", type="float", minimum=0.5), ["0.4"], "at least 0.5 is wanted"),
        (Parameter(name="p", type="float", maximum=0.5), ["0.6"], "at most 0.5 is wanted"),
        (Parameter(name="p", type="boolean"), ["maybe"], "true or false is wanted"),
        (Parameter(name="p", type="array"), ["[1, 2"], "not a JSON list"),
        (Parameter(name="p", type="object"), ["{"], "JSON is wanted"),
        (PIXVERSE, ["7"], "one of 5, 8, 10 is wanted"),
        (
            Parameter(name="p", type="enum", options=("720P", "1080P")),
            ["1080p"],
            "one of 720P, 1080P is wanted; did you mean 1080P?",
        ),
    ],
)
def test_an_impossible_value_is_refused_in_a_sentence(
    parameter: Parameter, texts: list[str], words: str
) -> None:
    """What the schema plainly excludes raises, and the sentence names the parameter, the value and the way out."""
    with pytest.raises(ConfigurationError) as refused:
        typed(parameter, *texts)

    assert words in str(refused.value)
    assert f"-p {parameter.name}={texts[-1]}" in str(refused.value) or parameter.type == "array"


def test_options_keep_their_own_type() -> None:
    """An option is sent as the schema spells it: numbers and switches stay what they are."""
    parameter = Parameter(name="p", type="enum", options=(5, 7.5, True, "auto"))

    found = [typed(parameter, text) for text in ("5", "7.5", "true", "auto")]

    assert found == [5, 7.5, True, "auto"]
    assert [type(value) for value in found] == [int, float, bool, str]


def test_an_unknown_name_is_sent_as_it_was_given() -> None:
    """Whether the model has it is for the schema's own check to say, with the name that was meant."""
    parameters = [Parameter(name="aspect_ratio"), Parameter(name="prompt", required=True)]

    ready = filled("m", {"zzz": 1}, {"ratio": ["1:1"], "prompt": ["x"]}, parameters)

    assert ready.payload == {"zzz": 1, "ratio": "1:1", "prompt": "x"}
    assert ready.warnings == ()


def test_what_is_lacking_is_told_as_options_to_add() -> None:
    """A required parameter that was not given is named as it would be typed, with its default."""
    parameters = [
        Parameter(name="prompt", required=True),
        Parameter(name="duration", required=True, default="5"),
        Parameter(name="sound", type="enum", required=True, options=(True, False)),
    ]

    ready = filled("m", {}, {}, parameters)

    assert ready.warnings == ("m requires more than was given: add -p prompt=… -p duration=5 -p sound=true",)


def test_without_a_schema_values_are_guessed() -> None:
    """With no schema to go by JSON is JSON, text is text, and nothing is warned of."""
    ready = filled("m", {"a": "5"}, {"b": ["5"], "c": ['"5"'], "d": ["x"], "e": ["1", "y"]}, [])

    assert ready.payload == {"a": "5", "b": 5, "c": "5", "d": "x", "e": [1, "y"]}
    assert ready.warnings == ()


def test_a_typed_value_goes_over_the_base() -> None:
    """What is typed replaces what the file says; the rest of the file is sent as it stands."""
    ready = filled("m", {"duration": 5, "seed": 1}, {"duration": ["8"]}, [WAN, Parameter(name="seed")])

    assert ready.payload == {"duration": 8, "seed": 1}


@given(st.text())
def test_any_text_is_guessed_to_something_json_can_hold(text: str) -> None:
    """No text on the command line makes a number that JSON has no word for, or fails."""
    value = guessed(text)

    assert not (isinstance(value, float) and math.isnan(value))
    assert isinstance(value, str | int | float | bool | list | dict | None)


@given(
    st.text(), st.sampled_from(["integer", "float", "boolean", "array", "object", "string", "enum", "image"])
)
def test_any_text_is_typed_or_refused(text: str, kind: str) -> None:
    """Whatever is typed, it becomes a value or a sentence, never another error."""
    refused = ""
    try:
        typed(Parameter(name="p", type=kind), text)
    except ConfigurationError as error:
        refused = str(error)

    assert refused.isprintable()


def test_pairs_keep_order_and_repetition() -> None:
    """`-p` may be repeated; the value is all that stands after the first sign of equality."""
    pairs = pairs_of(["prompt=a=b", "image=1", "image=2", "empty="])

    assert pairs == {"prompt": ["a=b"], "image": ["1", "2"], "empty": [""]}


@pytest.mark.parametrize("item", ["prompt", "=x", " =x"])
def test_what_is_no_pair_is_refused(item: str) -> None:
    """A `-p` without a key and a sign of equality is told what it should look like."""
    with pytest.raises(ConfigurationError, match="is not key=value"):
        pairs_of([item])


def test_a_value_can_come_from_a_file(tmp_path: Path) -> None:
    """`key=@path` is the file's text without its last line break; `key=@@…` begins with a plain @."""
    (tmp_path / "prompt.txt").write_text("Zwei Füchse\nim Schnee\n", encoding="utf-8")

    pairs = pairs_of([f"prompt=@{tmp_path / 'prompt.txt'}", "who=@@fox"])

    assert pairs == {"prompt": ["Zwei Füchse\nim Schnee"], "who": ["@fox"]}


def test_files_are_named_within_json_as_well(tmp_path: Path) -> None:
    """A list of pictures may be typed, or stand in a payload file, at any depth; other texts with @ stay texts."""
    png = tmp_path / "a.png"
    png.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(20))
    images = Parameter(name="images", type="array")
    told = f'["@{png}", "data:@{png}", {{"url": "@{png}"}}, "@nobody", "@"]'
    ready = filled(
        "m", {"first": f"@{png}", "prompt": "@ada dances"}, {"images": [told], "who": [f"@{png}"]}, [images]
    )

    assert ready.payload == {
        "first": png,
        "prompt": "@ada dances",
        "images": [png, Inline(png), {"url": png}, "@nobody", "@"],
        "who": f"@{png}",
    }


def test_a_file_that_cannot_be_read_is_a_sentence(tmp_path: Path) -> None:
    """A missing file, a folder, a picture and an impossible name are each refused by name."""
    (tmp_path / "a.png").write_bytes(b"\x89PNG\xff")
    found = []
    for path in (str(tmp_path / "none"), str(tmp_path), str(tmp_path / "a.png"), "a\0b"):
        with pytest.raises(ConfigurationError) as refused:
            read_text(path, "-p image")
        found.append(str(refused.value))

    assert [
        "No such file" in found[0],
        "directory" in found[1],
        "nor a picture" in found[2],
        "no path" in found[3],
    ] == [
        True,
        True,
        True,
        True,
    ]


@pytest.mark.parametrize("text", ["", "[1]", '"x"', "{", "null", "[" * 100_000])
def test_a_base_that_is_no_object_is_refused(text: str) -> None:
    """A payload file must hold one JSON object."""
    with pytest.raises(ConfigurationError, match="not a JSON object"):
        base_of(text, "--payload base.json")


def test_bounds_are_told_in_words() -> None:
    """A parameter without bounds or options says nothing of what is allowed."""
    assert allowed(Parameter(name="p")) == ""
    assert allowed(WAN) == "2 to 15"


def test_a_schema_that_says_nothing_usable_refuses_nothing() -> None:
    """Options that tell no value, and bounds of 0 to 0 for ones that are not set, keep nothing from being sent."""
    odd = [
        Parameter(name="kind", type="enum", options=(None, {"label": "a"})),
        Parameter(name="seed", type="integer", minimum=0, maximum=0),
    ]

    assert filled("m", {}, {"kind": ["a"], "seed": ["7"]}, odd).payload == {"kind": "a", "seed": 7}
    assert [allowed(parameter) for parameter in odd] == ["", ""]


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="a system without /dev/zero")
def test_a_file_without_end_is_refused() -> None:
    """What goes on for ever is not read for ever: `@/dev/zero` is a sentence, in a cell as behind -p."""
    with pytest.raises(ConfigurationError, match=r"'/dev/zero' is longer than 64 MiB; is it a text\?"):
        pairs_of(["image=@/dev/zero"])
