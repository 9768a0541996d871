"""Ids out of files and pipes: each line for itself, and nothing held that was passed on."""

import asyncio
import os
from pathlib import Path

import pytest
from hypothesis import given, strategies

from gmi_video.cli.ids import LONGEST, PIECE, Roll, Source
from gmi_video.errors import ConfigurationError

TEXT = "\ufeff# my fleet\n\na-1\r\n  b_2  # with a remark\nnot an id\n\t\nc-3"


def read(pieces: list[bytes]) -> tuple[list[str], list[str]]:
    """The ids and the complaints."""
    said: list[str] = []
    roll = Roll("ids.txt", said.append)
    return [found for piece in (*pieces, b"") for found in roll.take(piece)], said


@pytest.mark.parametrize("coding", ["utf-8", "utf-16"])
def test_a_line_is_an_id_or_is_told(coding: str) -> None:
    """Blank lines and remarks are passed over; a line without an id is named by file and line, and costs no other."""
    text = TEXT if coding == "utf-8" else TEXT.removeprefix("\ufeff")

    ids, said = read([text.encode(coding)])

    assert ids == ["a-1", "b_2", "c-3"]
    assert len(said) == 1
    assert said[0].startswith("ids.txt:5: 'not an id' is not a request id: those have 1 to 128 letters")


@given(strategies.lists(strategies.integers(1, 40), max_size=30))
def test_it_does_not_matter_where_a_read_ends(sizes: list[int]) -> None:
    """Cut anywhere, in the middle of a sign too, the same ids are found."""
    whole, pieces = TEXT.replace("remark", "rémàrk").encode(), []
    for size in sizes:
        pieces.append(whole[:size])
        whole = whole[size:]
        if not whole:
            break

    ids, said = read([piece for piece in (*pieces, whole) if piece])

    assert ids == ["a-1", "b_2", "c-3"]
    assert len(said) == 1


def test_a_file_without_lines_is_not_held() -> None:
    """Of a line without an end no more is kept than an id may have."""
    said: list[str] = []
    roll = Roll("a.bin", said.append)

    for _ in range(50):
        assert roll.take(b"\0" * PIECE) == []

    assert len(roll._rest) == LONGEST
    assert roll.take(b"") == []
    assert len(said) == 1


def test_a_file_is_read_in_pieces(tmp_path: Path) -> None:
    """What is handed out at once is bounded, whatever the file's length."""
    path = tmp_path / "ids.txt"
    path.write_text("".join(f"{number:036}\n" for number in range(10_000)))

    async def main() -> list[int]:
        source, sizes = Source(str(path), lambda _: None), []
        while ids := await source.read():
            sizes.append(len(ids))
        source.close()
        return sizes

    sizes = asyncio.run(main())

    assert sum(sizes) == 10_000
    assert max(sizes) <= PIECE // 37 + 1


def test_a_pipe_that_is_silent_holds_nobody_up() -> None:
    """What came is there after a moment, and what comes later is not lost; leaving does not wait for the pipe."""
    theirs, ours = os.pipe()

    async def main() -> tuple[list[str], list[str]]:
        source = Source(f"/dev/fd/{theirs}", lambda _: None)
        os.write(ours, b"a-1\nb-")
        first = await source.gather(10, 0.05)
        os.write(ours, b"2\n")
        return first, await source.read()

    found = asyncio.run(main())
    os.close(ours)
    os.close(theirs)

    assert found == (["a-1"], ["b-2"])


@pytest.mark.parametrize("name", ["nowhere.txt", "."])
def test_what_cannot_be_read_is_a_sentence(name: str, tmp_path: Path) -> None:
    """The system's own words say why."""
    source = Source(str(tmp_path / name), lambda _: None)

    with pytest.raises(ConfigurationError, match=r"cannot be read: (No such file|Is a directory)"):
        asyncio.run(source.read())

    assert not source.whole
