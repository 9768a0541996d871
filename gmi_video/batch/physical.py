"""The physical lines of a text file, one at a time, whatever editor or spreadsheet wrote it."""

import codecs
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from gmi_video.errors import ConfigurationError

LONGEST = 64 * 1024 * 1024
"""Bytes that one line may have: some models take pictures as base64; more is not a file of lines."""

_WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def lines_in(path: Path) -> Iterator[str]:
    """The lines of `path` with their ends, read as they are asked for; a byte order mark is not part of them.

    UTF-8, and the UTF-16 that Excel writes as "Unicode text". Only a line feed ends a line: the separators of
    Unicode stand in prompts. Raises `ConfigurationError` that names the file and the line.
    """
    try:
        if path.exists() and not path.is_file() and not path.is_dir():
            message = f"{path} is a pipe or a device; prompts are read twice, to check and to send them: save them to a file"
            raise ConfigurationError(message)
        with path.open("rb") as file:
            mark = file.read(2)
            file.seek(0)
            yield from _wide(path) if mark in _WIDE else _lines(file, path)
    except IsADirectoryError:
        message = f"{path} is a folder; a file of prompts is wanted"
    except OSError as error:
        message = f"{path} cannot be read: {(error.strerror or 'the system says no more').lower()}"
    else:
        return
    raise ConfigurationError(message)


def _lines(file: BinaryIO, path: Path) -> Iterator[str]:
    number = 0
    while piece := file.readline(LONGEST + 1):
        number += 1
        if len(piece) > LONGEST:
            message = f"{path}, line {number}: longer than {LONGEST >> 20} MiB; is it a file of lines?"
            raise ConfigurationError(message)
        try:
            text = piece.decode("utf-8")
        except UnicodeDecodeError as error:
            byte = piece[error.start]
        else:
            yield text.removeprefix("\ufeff") if number == 1 else text
            continue
        message = (
            f"{path}, line {number}: byte {byte:#04x} is not UTF-8; save the file as UTF-8 "
            f"(iconv -f WINDOWS-1252 -t UTF-8 converts what Excel saves as plain CSV)"
        )
        raise ConfigurationError(message)


def _wide(path: Path) -> Iterator[str]:
    number = 0
    try:
        with path.open(encoding="utf-16", newline="\n") as file:
            for number, line in enumerate(file, 1):  # noqa: B007  # told where the decoder stumbles
                yield line
    except UnicodeError:
        message = f"{path}, after line {number}: not UTF-16, though the file begins so; save it as UTF-8"
    else:
        return
    raise ConfigurationError(message)
