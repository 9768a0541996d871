import gzip
import zlib

import pytest

from gmi_video.sandbox import Faults, Sandbox, Script
from gmi_video.sandbox.answers import Answer
from gmi_video.sandbox.disguise import bomb, dressed
from gmi_video.sandbox.faults import Bomb, Early, Edge, HeaderFlood, Redirect
from gmi_video.testing import run

from .wire import post, submission, talk

ANSWER = Answer.of({"request_id": "r"})


def test_a_bomb_is_small_on_the_wire_and_whole() -> None:
    """What is inflated is the answer and so much white space, with right checksums, a thousandth on the wire."""
    for inflated in (1, 1024 * 1024, 3 * 1024 * 1024 + 17):
        packed = bomb(b'{"a":1}', inflated)

        assert gzip.decompress(packed) == b'{"a":1}' + b" " * inflated
        assert len(packed) < 200 + inflated / 900
        assert zlib.decompressobj(31).decompress(packed, 7) == b'{"a":1}'


def test_a_bomb_is_sent_whatever_the_client_takes() -> None:
    """The reply is gzipped for a client that never said it would take that."""
    heard, _, _ = run(submission(Bomb(inflated=1_000_000), until=5))

    assert heard.header("Content-Encoding") == "gzip"
    assert len(gzip.decompress(heard.body)) > 1_000_000
    assert len(heard.body) == int(heard.header("Content-Length")) < 3000


@pytest.mark.parametrize(("count", "size"), [(10_000, 32), (1, 1_048_576)])
def test_headers_come_in_a_flood(count: int, size: int) -> None:
    """So many headers of such a size stand in the reply, whose body is whole."""
    heard, _, _ = run(submission(HeaderFlood(count=count, size=size), until=5))

    assert heard.head.count("\r\nX-Flood-") == count
    assert len(heard.head) > count * size
    assert b'"request_id"' in heard.body


@pytest.mark.parametrize("status", [502, 504])
def test_the_edge_speaks_html(status: int) -> None:
    """A gateway's page in place of the answer."""
    told = dressed(ANSWER, Edge(status=status), elsewhere="", here="")

    assert (told.status, told.body[:6], told.content_type[:9]) == (status, b"<html>", "text/html")


def test_an_early_answer_is_an_error_of_the_queue() -> None:
    """The queue's envelope with the status named."""
    assert dressed(ANSWER, Early(status=401), elsewhere="", here="").status == 401
    assert b"error" in dressed(ANSWER, Early(status=431), elsewhere="", here="").body


@pytest.mark.parametrize(
    ("to", "location"),
    [("elsewhere", "e"), ("self", "h"), ("http://169.254.169.254/x", "http://169.254.169.254/x")],
)
def test_a_redirect_names_its_target(to: str, location: str) -> None:
    """Elsewhere, the same URL again, or whatever the script says."""
    told = dressed(ANSWER, Redirect(status=308, to=to), elsewhere="e", here="h")

    assert (told.status, dict(told.headers)["Location"]) == (308, location)


def test_who_follows_a_redirect_is_seen() -> None:
    """The third origin answers as if it were the queue and notes the call, its credentials included."""

    async def main() -> None:
        async with Sandbox(
            Script(faults=Faults(nth={"submit": {1: "redirect_307"}})), render=False
        ) as sandbox:
            said = post(sandbox)
            told = await talk(sandbox.url, said, until=5)
            followed = await talk(sandbox.elsewhere_url, said, until=5)

            assert told.status == 307
            assert told.header("Location").startswith(f"{sandbox.elsewhere_url}/api/v1/")
            assert b"request_id" in followed.body
            assert sandbox.charges == []
            (call,) = (call for call in sandbox.calls if call.origin == "elsewhere")
            assert (call.method, call.authorized) == ("POST", True)
            listed = await talk(sandbox.elsewhere_url, b"GET /x HTTP/1.1\r\nHost: x\r\n\r\n", until=5)
            assert b'"requests":[]' in listed.body

    run(main())
