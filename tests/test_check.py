"""What is wrong with a payload, said in the right words."""

from collections import Counter
from typing import Any

import pytest
from models import EXAMPLES, IDS, MODELS, Wrong, model, wrong

from gmi_video._schema import model_of
from gmi_video.catalog import Problem
from gmi_video.records import Media, Outcome

LINK = "https://example.com/a.jpg"
WRONG = tuple(wrong())


def only(problems: tuple[Problem, ...]) -> Problem:
    """The one problem there is."""
    assert len(problems) == 1, [str(problem) for problem in problems]
    return problems[0]


@pytest.mark.parametrize("model_id", IDS)
def test_the_example_of_a_models_page_passes(model_id: str) -> None:
    """What the vendor's own page sends is never objected to."""
    assert MODELS[model_id].check(EXAMPLES[model_id]) == ()


@pytest.mark.parametrize("case", WRONG, ids=str)
def test_a_wrong_payload_is_refused_with_the_right_words(case: Wrong) -> None:
    """Each wrong payload is found out at its parameter, and told what would be right."""
    found = MODELS[case.model].check(case.payload)

    assert [
        problem
        for problem in found
        if (problem.parameter, problem.kind, problem.certain) == (case.parameter, case.kind, case.certain)
        and case.words in problem.sentence
    ], found


def test_each_model_has_at_least_six_wrong_payloads() -> None:
    """No sample stands here without the mistakes that people make with it."""
    counts = Counter(case.model for case in WRONG)

    assert {model_id: counts[model_id] for model_id in IDS if counts[model_id] < 6} == {}


@pytest.mark.parametrize(
    ("kind", "value", "suggestion"),
    [
        ("integer", "5", 5),
        ("integer", "5s", 5),
        ("integer", 5.5, None),
        ("integer", "5.5", None),
        ("integer", True, None),
        ("integer", [5], None),
        ("integer", float("inf"), None),
        ("float", "0.5", 0.5),
        ("float", True, None),
        ("float", float("nan"), None),
        ("boolean", "true", True),
        ("boolean", "off", False),
        ("boolean", 1, True),
        ("boolean", 2, None),
        ("string", 5, "5"),
        ("string", True, None),
        ("string", ["a"], None),
        ("image", 5, None),
        ("image", [LINK], LINK),
        ("image", [LINK, LINK], None),
        ("array", LINK, [LINK]),
    ],
)
def test_a_value_of_another_type_is_refused(kind: str, value: object, suggestion: object) -> None:
    """Types are compared strictly, and only what means the very same is suggested."""
    problem = only(model({"name": "p", "type": kind}).check({"p": value}))

    assert (problem.kind, problem.certain) == ("type", True)
    assert problem.suggestion == suggestion
    assert type(problem.suggestion) is type(suggestion)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("integer", 5),
        ("integer", 2**63),
        ("float", 5),
        ("float", 0.5),
        ("numeric", 1),
        ("boolean", False),
        ("string", ""),
        ("text", "a"),
        ("enum", "any: no options are listed"),
        ("image", LINK),
        ("image", "data:image/png;base64,AAAA"),
        ("image", Media(LINK)),
        ("string (url)", Outcome(media=(Media(LINK),))),
        ("array", []),
        ("array[string]", (1, 2)),
        ("array<string>", [1]),
        ("object", {}),
        ("hologram", object()),
        ("", 5),
        ("42", 5),
    ],
)
def test_a_value_of_the_right_type_passes(kind: str, value: object) -> None:
    """Values pass by the schema's word; a type that nobody knows lets everything pass."""
    described = model({"name": "p", "type": kind} if kind else {"name": "p", "type": "hologram"})

    assert described.check({"p": value}) == ()


@pytest.mark.parametrize(
    ("options", "value", "suggestion"),
    [
        (["5", "10"], 5, "5"),
        (["5", "10"], 5.0, "5"),
        (["5", "10"], "5s", "5"),
        (["5", "10"], 5.5, None),
        ([5, 10], "5", 5),
        ([5, 10], True, None),
        (["5s", "9s"], 5, "5s"),
        (["on", "off"], True, "on"),
        (["yes", "no"], "on", "yes"),
        (["720P", "1080P"], "720p", "720P"),
        (["1920*1080"], "1920x1080", "1920*1080"),
        (["16:9", "9:16"], "16-9", "16:9"),
        ([True, False], 1, None),
        ([None, "a"], "b", None),
    ],
)
def test_a_value_that_is_no_option_is_told_the_one_that_was_meant(
    options: list[object], value: object, suggestion: object
) -> None:
    """5 is not "5", and the sentence says which of them to write; 5.5 is neither."""
    problem = only(model({"name": "p", "type": "enum", "options": options}).check({"p": value}))

    assert problem.certain
    assert problem.suggestion == suggestion
    assert type(problem.suggestion) is type(suggestion)


@pytest.mark.parametrize(
    ("kind", "options", "good", "bad"),
    [
        ("integer", ["5", "10"], [5, "5"], [5.5, "6", True]),
        ("float", ["0.5"], [0.5, "0.5"], [1]),
        ("boolean", ["true", "false"], [True, "false"], [1, "yes"]),
        ("string", [5, 10], [5, "10"], [6, "6"]),
        ("enum", ["5"], ["5"], [5]),
        ("enum", [5], [5], ["5"]),
        ("integer", ["auto", 5], ["auto", 5], ["5", "automatic"]),
    ],
)
def test_options_in_another_type_than_their_parameter_pass_in_both(
    kind: str, options: list[object], good: list[object], bad: list[object]
) -> None:
    """A catalog that writes an integer's options as text leaves it open which is wanted; an enum's word is plain."""
    described = model({"name": "p", "type": kind, "options": options})

    assert [described.check({"p": value}) for value in good] == [()] * len(good)
    assert all(only(described.check({"p": value})).certain for value in bad)


@pytest.mark.parametrize("kind", [{"type": "integer"}, {"type": "enum", "options": [5, 10]}])
def test_a_whole_number_written_as_a_real_one_is_only_doubtful(kind: dict[str, Any]) -> None:
    """5.0 is 5 to the service as far as anybody knows, so it is a warning and no refusal."""
    problem = only(model({"name": "p", **kind}).check({"p": 5.0}))

    assert (problem.certain, problem.suggestion) == (False, 5)


@pytest.mark.parametrize(
    ("bounds", "value", "words"),
    [
        ({"min_value": 2, "max_value": 15}, 16, "2 to 15"),
        ({"min_value": "2", "max_value": "15"}, 1, "2 to 15"),
        ({"min": 2}, 1, "at least 2"),
        ({"max": 15}, 16, "at most 15"),
    ],
)
def test_a_number_out_of_range_is_refused(bounds: dict[str, object], value: int, words: str) -> None:
    """Bounds are the schema's, whichever way it writes them."""
    problem = only(model({"name": "p", "type": "integer", **bounds}).check({"p": value}))

    assert (problem.kind, problem.certain) == ("range", True)
    assert words in problem.sentence


def test_a_missing_parameter_names_the_one_that_was_given_instead() -> None:
    """Another family's name for the start image is recognised on both sides."""
    missing, unknown = model({"name": "img_url", "type": "image", "required": True}).check({"image": LINK})

    assert (missing.kind, missing.certain) == ("missing", True)
    assert "image is not its name here" in missing.sentence
    assert (unknown.kind, unknown.certain, unknown.suggestion) == ("unknown", False, "img_url")


def test_null_says_nothing() -> None:
    """A null is no value: it leaves a required parameter missing, and a name unknown to the schema harmless."""
    described = model({"name": "a", "required": True}, {"name": "b", "type": "integer"})

    assert [problem.kind for problem in described.check({"a": None, "b": None, "c": None})] == ["missing"]


def test_an_empty_text_where_one_is_required_is_doubtful() -> None:
    """An empty prompt passes the queue and fails behind it."""
    problem = only(model({"name": "prompt", "required": True}).check({"prompt": "  "}))

    assert (problem.kind, problem.certain) == ("missing", False)


def test_a_schema_without_parameters_objects_to_nothing() -> None:
    """Where the service describes no parameter, none is called unknown."""
    assert model().check({"anything": 1}) == ()


def test_the_live_schemas_length_wins_over_our_rule() -> None:
    """A rule knows of 1500 characters for wan2.7; a schema that says otherwise is believed."""
    by_number = model({"name": "prompt", "type": "string", "max_value": 3000}, model_id="wan2.7-t2v")
    by_words = model(
        {"name": "prompt", "type": "string", "description": "At most 3,000 characters."},
        model_id="wan2.7-t2v",
    )
    silent = model({"name": "prompt", "type": "string"}, model_id="wan2.7-t2v")

    for described in (by_number, by_words):
        assert described.check({"prompt": "x" * 3000}) == ()
        assert only(described.check({"prompt": "x" * 3001})).kind == "length"
    assert "1500" in only(silent.check({"prompt": "x" * 3000})).sentence


def test_the_live_schemas_range_wins_over_our_rule() -> None:
    """A rule knows the seeds of PixVerse; a schema with other bounds is believed, and what it refuses is certain."""
    said = model({"name": "seed", "type": "integer", "max_value": 2**40}, model_id="pixverse-v9")
    silent = model({"name": "seed", "type": "integer"}, model_id="pixverse-v9")

    assert said.check({"seed": 2**32}) == ()
    assert only(said.check({"seed": 2**41})).certain
    assert not only(silent.check({"seed": 2**32})).certain


def test_a_rule_about_names_that_the_schema_does_not_have_is_silent() -> None:
    """The rule that there are no 10 seconds at 1080p needs both names to be the schema's."""
    duration = {"name": "duration", "type": "enum", "options": ["5", "10"]}
    quality = {"name": "quality", "type": "enum", "options": ["540p", "1080p"], "default_value": "1080p"}

    assert model(duration, model_id="pixverse-v5.6-t2v").check({"duration": "10"}) == ()
    problem = only(model(duration, quality, model_id="pixverse-v5.6-t2v").check({"duration": "10"}))
    assert (problem.kind, problem.certain) == ("combination", False)


def test_sentences_hold_no_secret() -> None:
    """A presigned link is shown without its query."""
    link = "https://storage.example/a.jpg?X-Goog-Signature=secret"
    described = model({"name": "a", "type": "integer"}, {"name": "b", "type": "enum", "options": ["c"]})

    assert "secret" not in " ".join(map(str, described.check({"a": link, "b": link})))


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ({"type": "enum", "options": None}, 5),
        ({"type": "enum", "options": [{"label": "5 s", "id": 5}, {"label": "10 s", "id": 10}]}, 5),
        ({"type": "string", "options": [{"key": "a"}, "b"]}, "a"),
        ({"type": "string", "options": [["a", "A"]]}, "a"),
        ({"type": "string", "options": [""]}, "a"),
        ({"type": "array", "options": ["a", "b"]}, ["a"]),
        ({"type": "integer", "min_value": 0, "max_value": 0}, 7),
        ({"type": "integer", "min_value": "10", "max_value": "0"}, 7),
    ],
)
def test_a_schema_that_says_nothing_usable_refuses_nothing(parameter: dict[str, Any], value: object) -> None:
    """Options that tell no value and bounds that leave none are no reason to keep a good payload from the service."""
    assert model({"name": "p", **parameter}).check({"p": value}) == ()


def test_the_items_of_a_list_are_held_against_its_options() -> None:
    """The options of a list are those of its items, and whether the service looks at them is not known."""
    problem = only(model({"name": "p", "type": "array", "options": ["a", "b"]}).check({"p": ["a", "c"]}))

    assert (problem.kind, problem.certain) == ("option", False)
    assert '"a" or "b" is wanted' in problem.sentence


def test_a_catalog_gone_odd_is_tolerated() -> None:
    """Null options, numbers as text, options as objects, nameless and huge entries: what is usable is used."""
    described = model_of(
        {
            "model": "odd",
            "brief_description": "x" * 200_000,
            "detailed_description": "y" * 200_000,
            "parameters": [
                {"name": "a", "type": None, "options": None, "min_value": None},
                {
                    "name": "b",
                    "type": "Integer",
                    "min_value": "1",
                    "max_value": "9",
                    "description": "z" * 200_000,
                },
                {"name": "c", "options": [{"label": "Five", "value": "5"}, None]},
                {"key": "d", "type": {"odd": True}, "required": "true"},
                {"type": "integer"},
                None,
                7,
            ],
        }
    )

    assert [problem.parameter for problem in described.check({"a": "x", "b": 10, "c": "6"})] == [
        "b",
        "c",
        "d",
    ]
    assert described.check({"a": "x", "b": 9, "c": "5", "d": object()}) == ()
