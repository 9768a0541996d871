"""Bytes to JSON: the same strictness with either decoder."""

import json
import sys
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gmi_video import _decode
from gmi_video._decode import decode
from gmi_video.errors import MalformedResponse

Loads = Callable[[bytes], Any]

DECODERS: dict[str, Loads] = {"standard": _decode.standard}
try:
    import orjson
except ImportError:
    pass
else:
    DECODERS["orjson"] = orjson.loads
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@pytest.fixture(params=list(DECODERS.values()), ids=list(DECODERS))
def loads(request: pytest.FixtureRequest) -> Loads:
    """Each decoder that is installed."""
    decoder: Loads = request.param
    return decoder


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{",
        b'{"request_id": "r-1"',
        b"<html>",
        b"NaN",
        b'{"a": NaN}',
        b"Infinity",
        b"-Infinity",
        b"1e400",
        b"[-1e999]",
        b"9" * 5000,
        b"[" * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 100_000,
        b'"\xff"',
        b'"\xed\xa0\x80"',
        b'"\\ud800"',
        b'"\\uDFFF"',
        b'{"\\udc00": 1}',
        b'"a\nb"',
        '{"a": 1}'.encode("utf-16"),
        '{"a": 1}'.encode("utf-32"),
        b"{} {}",
        b"{'a': 1}",
    ],
    ids=lambda body: repr(body[:12]),
)
def test_what_is_not_json_is_refused(loads: Loads, body: bytes) -> None:
    """Broken, deep, infinite, wrongly encoded or half-paired text raises `MalformedResponse` and nothing else."""
    with pytest.raises(MalformedResponse) as caught:
        decode(body, loads)

    assert caught.value.what in {"not JSON", "nested too deeply"}
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        (b' {"a": 1}\r\n', {"a": 1}),
        (b'"\\ud83d\\ude00"', "😀"),
        (b'"\\\\ud800"', "\\ud800"),
        (b"1.5e3", 1500.0),
        (b'{"a": 1, "a": 2}', {"a": 2}),
        (b"null", None),
        (b"[" * 100 + b"]" * 100, json.loads("[" * 100 + "]" * 100)),
    ],
)
def test_what_is_json_is_read(loads: Loads, body: bytes, value: object) -> None:
    """A byte order mark, escapes in pairs and ordinary depth are no obstacle."""
    assert value == decode(body, loads)


@given(JSON)
def test_all_decoders_read_the_same(value: object) -> None:
    """What one decoder reads, every other reads as the same value."""
    body = json.dumps(value).encode()

    assert all(value == decode(body, loads) for loads in DECODERS.values())


@given(st.binary(max_size=60) | st.text('[]{}":,\\ud8089eE+-.ntrufalsN ', max_size=30).map(str.encode))
def test_all_decoders_refuse_the_same(body: bytes) -> None:
    """No byte string is JSON to one decoder and none to another."""

    def understood(loads: Loads) -> bool:
        try:
            decode(body, loads)
        except MalformedResponse:
            return False
        return True

    assert len({understood(loads) for loads in DECODERS.values()}) == 1


def test_the_fastest_decoder_is_taken() -> None:
    """Where the extra `speed` is installed its decoder is the one in use, else the standard library's."""
    assert _decode.fastest is DECODERS.get("orjson", _decode.standard)


def test_without_the_extra_the_standard_library_decodes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where orjson cannot be imported, nothing is missing but speed."""
    monkeypatch.setitem(sys.modules, "orjson", None)

    assert _decode._fastest() is _decode.standard
