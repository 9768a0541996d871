"""Where a file may be put, and what the storage says of it."""

import base64
import hashlib
import json
import traceback
from collections.abc import AsyncIterator
from typing import Any

import pytest
from carriage import carried
from peers import http, saying

from gmi_video import errors
from gmi_video._presigned import judged, put_call, read_slot, slot_call
from gmi_video.settings import Secret
from gmi_video.testing import run
from gmi_video.wire import Call, Reply

SIGNATURE = "signature-canary"
GOOD = f"https://storage.googleapis.com/bucket/a.png?X-Goog-Signature={SIGNATURE}"
PUBLIC = "https://storage.googleapis.com/bucket/a.png"
MD5 = hashlib.md5(b"body").digest()
IN_BASE64 = base64.b64encode(MD5).decode()


def told(**links: Any) -> Reply:
    """The service's answer with these links."""
    return Reply(status=200, body=json.dumps(links).encode())


def xml(code: str, words: str = "Access denied.", more: str = "") -> bytes:
    """An error of the storage."""
    text = f"<Error><Code>{code}</Code><Message>{words}</Message>{more}</Error>"
    return f"<?xml version='1.0' encoding='UTF-8'?>{text}".encode()


def silent(error: BaseException) -> bool:
    """Whether nothing that can be printed of an error shows the signature."""
    shown = traceback.TracebackException.from_exception(error, capture_locals=True)
    lines = [f"{frame.locals}" for frame in shown.stack if "/gmi_video/" in frame.filename]
    return SIGNATURE not in "".join([*lines, str(error), repr(error), repr(vars(error))])


def test_the_two_links_are_read() -> None:
    """The link to put by is a secret, the public one is plain text."""
    slot = read_slot(slot_call("png"), told(upload_url=GOOD, public_url=PUBLIC), loopback=False)

    assert (str(slot.upload_url), slot.public_url) == (GOOD, PUBLIC)
    assert isinstance(slot.upload_url, Secret)
    assert type(slot.public_url) is str
    assert SIGNATURE not in repr(slot)


@pytest.mark.parametrize("name", ["upload_url", "public_url"])
@pytest.mark.parametrize(
    "link",
    [
        "http://storage.googleapis.com/a",
        "ftp://storage.googleapis.com/a",
        "file:///etc/passwd",
        "https://key:word@storage.googleapis.com/a",
        "https://storage.googleapis.com:22/a",
        "https://10.0.0.1/a",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/a",
        "https://[::ffff:10.0.0.1]/a",
        "https://[fd00::1]/a",
        "https://2130706433/a",
        "https://localhost/a",
        "http://localhost/a",
        "http://127.0.0.1/a",
        "https://127.0.0.1/a",
        "https://metadata.google.internal/a",
        "https://printer.local/a",
        "https://intranet/a",
        "https://storage.googleapis.com/a\r\nX-Evil: 1",
        "https://" + "a" * 9000,
        "//storage.googleapis.com/a",
    ],
)
def test_a_link_that_is_not_public_is_not_used(name: str, link: str) -> None:
    """Neither link may be anything but https to a public host; the sentence shows no query."""
    links = {"upload_url": GOOD, "public_url": PUBLIC} | {name: f"{link}?X-Goog-Signature={SIGNATURE}"}
    with pytest.raises(errors.UnsafeURL, match="GMI's place for a png file is not used") as caught:
        read_slot(slot_call("png"), told(**links), loopback=False)

    assert silent(caught.value)
    assert caught.value.__context__ is None


def test_this_machine_counts_where_the_api_is_on_it() -> None:
    """A sandbox's links lead to this machine, and are used."""
    link = "http://127.0.0.1:8080/a"
    slot = read_slot(slot_call("png"), told(upload_url=link, public_url=link), loopback=True)

    assert slot.public_url == link


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (b"[]", "upload_url"),
        (b"{}", "upload_url"),
        (json.dumps({"upload_url": GOOD}).encode(), "public_url"),
        (json.dumps({"upload_url": GOOD, "public_url": None}).encode(), "public_url"),
        (json.dumps({"upload_url": 7, "public_url": PUBLIC}).encode(), "upload_url"),
        (f'{{"upload_url": "{GOOD}"'.encode(), "$"),
    ],
)
def test_an_answer_without_links_is_named_by_its_place(body: bytes, path: str) -> None:
    """What is missing is said, and what is quoted of the answer shows no signature."""
    with pytest.raises(errors.MalformedResponse, match="say where to put a png file") as caught:
        read_slot(slot_call("png"), Reply(status=200, body=body), loopback=False)

    assert caught.value.path.startswith(path)
    assert silent(caught.value)


def test_a_file_is_put_without_credentials() -> None:
    """The call names the content type and the length, and nothing of the account."""
    slot = read_slot(slot_call("png"), told(upload_url=GOOD, public_url=PUBLIC), loopback=False)
    call = put_call(slot, "a.png", "image/png", 7, _chunks)

    assert (call.method, call.url) == ("PUT", GOOD)
    assert dict(call.headers) == {"Content-Type": "image/png", "Content-Length": "7"}
    assert SIGNATURE not in repr(call)


@pytest.mark.parametrize(
    ("reply", "words", "leaf", "again", "another"),
    [
        (
            Reply(status=403, body=xml("SignatureDoesNotMatch")),
            "was signed for another",
            errors.TransferError,
            True,
            True,
        ),
        (
            Reply(status=400, body=xml("ExpiredToken")),
            "the link had expired",
            errors.LinkExpired,
            True,
            False,
        ),
        (Reply(status=403, body=xml("AccessDenied")), "does not allow it", errors.LinkExpired, True, False),
        (Reply(status=403, body=b""), "no reason given", errors.LinkExpired, True, False),
        (
            Reply(status=400, body=xml("MalformedSecurityHeader")),
            "is missing",
            errors.TransferError,
            False,
            False,
        ),
        (
            Reply(status=400, body=xml("EntityTooLarge")),
            "larger than the storage takes",
            errors.TransferError,
            False,
            False,
        ),
        (
            Reply(status=404, body=xml("NoSuchBucket", "No bucket.")),
            "NoSuchBucket: No bucket.",
            errors.TransferError,
            False,
            False,
        ),
        (
            Reply(status=503, body=xml("SlowDown", "Slow.")),
            "SlowDown: Slow.",
            errors.TransferError,
            True,
            False,
        ),
        (Reply(status=500, body=b"\xff\xfe<Code>"), "no reason given", errors.TransferError, True, False),
        (
            Reply(status=413, body=b"<html>"),
            "larger than the storage takes",
            errors.TransferError,
            False,
            False,
        ),
        (Reply(status=307, body=b""), "it points elsewhere", errors.TransferError, False, False),
    ],
)
def test_the_storages_xml_is_a_sentence(
    reply: Reply, words: str, leaf: type[Exception], again: bool, another: bool
) -> None:
    """Status, code and what it means for people; whether another attempt may help, and with which type."""
    refusal = judged("a.png", reply, {"md5": MD5})

    assert refusal is not None
    assert f"the storage host did not take 'a.png' ({reply.status} " in str(refusal.error)
    assert words in str(refusal.error)
    assert type(refusal.error) is leaf
    assert (refusal.error.retryable, refusal.another_type) == (again, another)


def test_of_the_xml_nothing_but_code_and_message_is_told() -> None:
    """The text to sign repeats the link's credential and date: it is not shown."""
    more = f"<StringToSign>{SIGNATURE}</StringToSign><CanonicalRequest>{SIGNATURE}</CanonicalRequest>"
    body = xml("Odd", f"See https://a.example/b?X-Goog-Signature={SIGNATURE}", more)
    refusal = judged("a.png", Reply(status=403, body=body), {"md5": MD5})

    assert refusal is not None
    assert "Odd: See https://a.example/b" in str(refusal.error)
    assert silent(refusal.error)


@pytest.mark.parametrize(
    ("headers", "taken"),
    [
        ({}, True),
        ({"etag": '"0-a-made-up-etag"'}, True),
        ({"etag": f'"{MD5.hex()}"'}, True),
        ({"etag": f'"{MD5.hex().upper()}"'}, True),
        ({"etag": f'"{MD5[::-1].hex()}"'}, False),
        ({"x-goog-hash": f"md5={IN_BASE64}"}, True),
        ({"x-goog-hash": f"crc32c=Zm91cg==, md5={IN_BASE64}"}, True),
        ({"x-goog-hash": f"md5={IN_BASE64}", "etag": f'"{MD5[::-1].hex()}"'}, True),
        ({"x-goog-hash": f"md5={base64.b64encode(MD5[::-1]).decode()}"}, False),
        ({"x-goog-hash": "crc32c=Zm91cg=="}, True),
        ({"x-goog-hash": "crc32c=AAAAAA=="}, False),
        ({"x-goog-hash": f"crc32c=AAAAAA==, md5={IN_BASE64}"}, False),
    ],
)
def test_the_storages_checksum_is_believed(headers: dict[str, str], taken: bool) -> None:
    """A checksum that differs is an `IntegrityError`; without one, nothing is held against the file."""
    refusal = judged("a.png", Reply(status=200, headers=headers), {"md5": MD5, "crc32c": b"four"})

    assert (refusal is None) is taken
    assert refusal is None or isinstance(refusal.error, errors.IntegrityError)


async def _chunks() -> AsyncIterator[bytes]:
    yield b"body"


def test_no_byte_goes_to_a_private_address() -> None:
    """A host whose name leads to a private address is refused at the socket: not even a connection is made."""
    asked = 0

    def chunks() -> AsyncIterator[bytes]:
        nonlocal asked
        asked += 1
        return _chunks()

    async def main() -> None:
        async with carried(saying(http(b"")), loopback=False) as (it, transport):
            for host in ("127.0.0.1", "localhost", "0x7f.1", "2130706433"):
                url = f"http://{host}:{it.port}/a?X-Goog-Signature={SIGNATURE}"
                headers = {"Content-Length": "4"}
                call = Call(
                    operation="put", subject="'a'", url=url, method="PUT", headers=headers, chunks=chunks
                )
                with pytest.raises(errors.UnsafeURL) as caught:
                    await transport.send(call)

                assert silent(caught.value)
            assert it.connections == 0

    run(main())


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ("<Code>Odd</Code><Message>It&#39;s &lt;bad&gt;</Message>", "(400 Odd: It's <bad>)"),
        ("<Code><![CDATA[Odd]]></Code><Message><![CDATA[no good]]></Message>", "(400 Odd: no good)"),
        ("<s:Code>Odd</s:Code><s:Message>no good</s:Message>", "(400 Odd: no good)"),
        (f"<Code>Odd</Code><Message>X-Goog-Signature: {SIGNATURE}</Message>", "(400 Odd)"),
        (f"<Code>Odd</Code><Message>&quot;Signature&quot;=&quot;{SIGNATURE}&quot;</Message>", "(400 Odd)"),
        (f"<Code>Odd</Code><Message>me/20261201/{SIGNATURE}/goog4_request</Message>", "(400 Odd)"),
    ],
)
def test_xml_is_read_however_it_is_written(told: str, words: str) -> None:
    """Entities, quoted text and prefixes; a message that speaks of the link's secret in any way is not told."""
    refusal = judged("a.png", Reply(status=400, body=f"<Error>{told}</Error>".encode()), {"md5": MD5})

    assert refusal is not None
    assert str(refusal.error).endswith(words)
    assert silent(refusal.error)


def test_an_answer_that_escapes_its_signs_shows_no_query() -> None:
    """JSON may write a question mark as a number: it begins a query all the same."""
    call = slot_call("png")
    body = f'{{"upload_url": "https://a.example/b\\u003fX-Goog-Signature\\u003d{SIGNATURE}"}}'.encode()

    with pytest.raises(errors.MalformedResponse) as caught:
        read_slot(call, Reply(status=200, body=body), loopback=False)

    assert "https://a.example/b" in str(caught.value)
    assert silent(caught.value)


def test_a_link_that_lost_its_question_mark_shows_no_query() -> None:
    """What follows the first & is not shown."""
    link = f"http://a.example/b&X-Goog-Signature={SIGNATURE}"
    body = json.dumps({"upload_url": link, "public_url": "https://a.example/c"}).encode()

    with pytest.raises(errors.UnsafeURL) as caught:
        read_slot(slot_call("png"), Reply(status=200, body=body), loopback=False)

    assert silent(caught.value)


def test_a_place_at_a_host_that_is_not_named_is_not_used() -> None:
    """Neither the link to put by nor the one to read by."""
    body = b'{"upload_url": "https://a.example/b", "public_url": "https://b.example/c"}'

    for hosts in (("b.example",), ("a.example",)):
        with pytest.raises(errors.UnsafeURL, match=r"none of Settings\.storage_hosts"):
            read_slot(slot_call("png"), Reply(status=200, body=body), loopback=False, hosts=hosts)
    both = ("a.example", "b.example")
    assert read_slot(slot_call("png"), Reply(status=200, body=body), loopback=False, hosts=both).public_url
