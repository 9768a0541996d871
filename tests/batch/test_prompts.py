"""Files of prompts are read as they are written, a line at a time, and a bad line is named."""

import csv
import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gmi_video.batch.prompts import Line, Prompts
from gmi_video.errors import ConfigurationError


def written(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def refusal(path: Path) -> str:
    with pytest.raises(ConfigurationError) as caught:
        list(Prompts(path))
    return str(caught.value).removeprefix(str(path))


def test_json_lines_carry_parameters_models_and_keys(tmp_path: Path) -> None:
    """A line is an object of parameters, its model and key among them or round a payload; blanks are skipped."""
    path = written(
        tmp_path,
        "p.jsonl",
        '\ufeff{"prompt": "a\\nfox", "seed": 7}\r\n\r\n{"key": 12, "model": "Veo3", "prompt": "狐\u2028"}\n'
        '{"model": "m", "payload": {"model": "lora", "key": "C#"}}',
    )

    first, second, third = Prompts(path)

    assert (first.number, first.values) == (1, {"prompt": "a\nfox", "seed": 7})
    assert (second.number, second.key, second.model) == (3, 12, "Veo3")
    assert second.values == {"prompt": "狐\u2028"}
    assert (third.model, third.key, third.values) == ("m", None, {"model": "lora", "key": "C#"})


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('{"prompt": "fox"', "not JSON at column"),
        ('["fox"]', "is no JSON object of parameters, e.g."),
        ('[{"prompt": "fox"},', "`jq -c '.[]' FILE` writes a list so"),
        ('"a fox"', '"a fox" is no JSON object'),
        ('{"seed": NaN}', "NaN is no JSON"),
        ('{"seed": 1, "seed": 2}', "'seed' is given twice"),
        ('{"model": 7}', "`model` is 7; the id of a model is wanted"),
        ('{"key": [1]}', "`key` is [1]; your name for the line is wanted"),
        ('{"key": true}', "`key` is true"),
        ('{"payload": {}, "seed": 2}', "'seed' stands beside `payload`"),
        ('{"prompt": "\\ud83e"}', "stands alone"),
        ('{"seed": ' + "7" * 5000 + "}", "a number of 5,000 digits; no parameter is so large"),
        ("[" * 100_000, ""),
    ],
)
def test_a_bad_line_of_json_is_named_with_what_would_be_right(tmp_path: Path, line: str, words: str) -> None:
    """The sentence names file and line, and the reader goes on behind it."""
    prompts = Prompts(written(tmp_path, "p.jsonl", f'{{"prompt": "one"}}\n{line}\n{{"prompt": "three"}}\n'))
    next(prompts)

    with pytest.raises(ConfigurationError, match=r"p\.jsonl, line 2: ") as caught:
        next(prompts)

    assert words in str(caught.value)
    assert next(prompts).number == 3


def test_csv_is_read_as_spreadsheets_write_it(tmp_path: Path) -> None:
    """A byte order mark, CRLF, quotes, line breaks in prompts and empty rows are no matter; numbers are an editor's."""
    path = written(
        tmp_path,
        "p.csv",
        '\ufeffkey,prompt,duration,model\r\n1,"a ""red"" fox,\r\nin snow",5,\r\n,,,\r\n\r\n,  two ,,Veo3\r\n',
    )

    first, second = Prompts(path)

    assert first == Line(
        file=str(path), number=2, key="1", texts={"prompt": 'a "red" fox,\r\nin snow', "duration": "5"}
    )
    assert (second.number, second.model, second.texts) == (6, "Veo3", {"prompt": "  two "})


def test_lines_above_a_heading_are_counted(tmp_path: Path) -> None:
    """Empty lines may stand above the names of the columns; a row's number is still an editor's."""
    prompts = Prompts(written(tmp_path, "p.csv", "\n\nprompt,seed\nfox,1\nowl\n"))

    assert next(prompts).number == 4
    with pytest.raises(ConfigurationError, match="line 5: 1 cell under 2 columns"):
        next(prompts)


@pytest.mark.parametrize("sign", [";", "\t"])
def test_other_separators_are_seen_in_the_heading(tmp_path: Path, sign: str) -> None:
    """Semicolons and tabs part columns where the heading is parted so."""
    (line,) = Prompts(written(tmp_path, "p.csv", f'"a,b"{sign}prompt\n1{sign}"one; two, three"\n'))

    assert line.texts == {"a,b": "1", "prompt": "one; two, three"}


def test_excels_unicode_text_is_read(tmp_path: Path) -> None:
    """UTF-16 with its mark, tabs between the columns, is what Excel calls Unicode text."""
    path = written(tmp_path, "p.tsv", "prompt\tseed\r\n狐\t7\r\n".encode("utf-16"))

    (line,) = Prompts(path)

    assert line.texts == {"prompt": "狐", "seed": "7"}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("prompt,seed\na,b,c\n", ", line 2: 3 cells under 2 columns; a text with commas in it wants quotes"),
        ("prompt,seed\n\na\n", ", line 3: 1 cell under 2 columns"),
        ("prompt,prompt\na,b\n", ", line 1: the column 'prompt' stands there twice"),
        ("prompt,,seed\na,b,c\n", ", line 1: column 2 has no name"),
        ('prompt\n"a\nb\n', ", line 2: a quote opens here and is never closed"),
        ('prompt\na\n"b"c\n', ", line 3: text follows a closing quote"),
        ("prompt\n" + "x" * 200_000, ", line 2: a cell of more than 131,072 characters"),
        ("prompt\na\rb\n", ", line 2: a carriage return stands in a cell"),
        (b"prompt\nfox\n\xe9tude\n", ", line 3: byte 0xe9 is not UTF-8; save the file as UTF-8"),
        (b"\xff\xfep\x00\n", ", after line 0: not UTF-16"),
    ],
)
def test_a_bad_row_is_named_with_what_would_be_right(
    tmp_path: Path, content: str | bytes, words: str
) -> None:
    """The sentence begins with file and line, whichever way a row is broken."""
    assert refusal(written(tmp_path, "p.csv", content)).startswith(words)


def test_a_text_file_is_a_prompt_a_line(tmp_path: Path) -> None:
    """Plain lines are prompts, whatever signs they hold."""
    path = written(tmp_path, "p.txt", 'a fox, "red"\n\n  @home {1}\r\n')

    assert [(line.number, line.values) for line in Prompts(path)] == [
        (1, {"prompt": 'a fox, "red"'}),
        (3, {"prompt": "@home {1}"}),
    ]


def test_prompts_that_an_old_editor_ran_together_are_refused(tmp_path: Path) -> None:
    """Lines that end in a carriage return alone would be paid for as one prompt."""
    assert "line 1: a carriage return within the line" in refusal(
        written(tmp_path, "p.txt", "a fox\ran owl\r")
    )


def test_the_first_line_tells_the_format_where_the_name_does_not(tmp_path: Path) -> None:
    """An object is JSON lines; of anything else it is asked how to take it."""
    (line,) = Prompts(written(tmp_path, "one", '\n{"prompt": "fox"}\n'))

    assert line.values == {"prompt": "fox"}
    with pytest.raises(ConfigurationError, match=r"name it \.jsonl \(a JSON object a line\)"):
        Prompts(written(tmp_path, "two", "prompt\nfox\n"))
    with pytest.raises(ConfigurationError, match="none of jsonl, csv, text"):
        Prompts(tmp_path / "one", format="xml")


def test_a_file_that_cannot_be_read_is_a_sentence(tmp_path: Path) -> None:
    """A file that is not there and a folder are named; an empty file has no lines."""
    assert refusal(tmp_path / "no.csv") == " cannot be read: no such file or directory"
    (tmp_path / "dir.csv").mkdir()
    assert refusal(tmp_path / "dir.csv") == " is a folder; a file of prompts is wanted"
    assert list(Prompts(written(tmp_path, "empty.csv", ""))) == []


def test_a_line_becomes_a_request_under_its_own_model_and_key(tmp_path: Path) -> None:
    """A line's own model and values go before the common ones; a text becomes JSON where it is JSON."""
    path = written(tmp_path, "p.csv", 'key,model,prompt,seed,tags\na,Veo3,fox,7,"[1, 2]"\nb,,5s,,\n')

    first, second = (line.request("wan", {"seed": 1, "loop": True}) for line in Prompts(path))

    assert (first.model, first.key) == ("Veo3", "a")
    assert first.payload == {"prompt": "fox", "seed": 7, "tags": [1, 2], "loop": True}
    assert (second.model, second.payload) == ("wan", {"prompt": "5s", "seed": 1, "loop": True})


def test_a_line_without_a_model_is_refused(tmp_path: Path) -> None:
    """Where neither the line nor the caller names a model, the sentence says both ways to do it."""
    (line,) = Prompts(written(tmp_path, "p.jsonl", '{"prompt": "fox"}'))

    with pytest.raises(ConfigurationError, match=r"line 1: no model; name one .* or for all with --model"):
        line.request()
    with pytest.raises(ConfigurationError, match=r"p\.jsonl, line 1: .*not a model id"):
        line.request("..")


LONG = 6_000
"""Lines which would take several megabytes, were they all held."""

CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=12)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=6))
def test_what_a_csv_writer_wrote_is_read_back(tmp_path: Path, rows: list[tuple[str, str]]) -> None:
    """No text of any language, quotes and line breaks included, is changed on its way through CSV."""
    path = tmp_path / "p.csv"
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows([("prompt", "negative"), *rows])

    expected = [{n: t for n, t in zip(("prompt", "negative"), row, strict=True) if t} for row in rows]
    assert [line.texts for line in Prompts(path)] == [row for row in expected if row]


@pytest.mark.parametrize("ending", [".csv", ".jsonl"])
def test_a_long_file_is_read_in_little_memory(tmp_path: Path, ending: str) -> None:
    """Memory does not grow with the number of lines."""
    path = tmp_path / f"p{ending}"
    with path.open("w", encoding="utf-8") as file:
        file.write("prompt,seed\n" if ending == ".csv" else "")
        for number in range(LONG):
            row: Any = {"prompt": f"line {number}\nwith a break", "seed": number}
            file.write(f'"{row["prompt"]}",{number}\n' if ending == ".csv" else json.dumps(row) + "\n")

    tracemalloc.start()
    count = sum(1 for _ in Prompts(path))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert count == LONG
    assert peak < 2_000_000
