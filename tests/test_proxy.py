"""Proxies of the environment: who goes through them, what they may say, and that their password is never shown."""

import asyncio
import base64
import logging
import ssl
from pathlib import Path
from random import Random

import pytest
from intents import Ledger
from lostfound import EAGLE
from peers import Peer, http, peer, saying
from scene import settings_for

from gmi_video import Patience, Session, errors
from gmi_video._proxy import proxies, proxy_for
from gmi_video.settings import Settings
from gmi_video.testing import run

PASSWORD = "proxy-canary"
NAMES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "REQUEST_METHOD")
PATIENT = Patience(attempts=3, first=1, jitter=0)


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.mark.parametrize(
    ("named", "url", "proxy"),
    [
        ({}, "https://console.gmicloud.ai/x", None),
        ({"HTTPS_PROXY": "http://p:3128"}, "https://console.gmicloud.ai/x", "http://p:3128"),
        ({"https_proxy": "http://p:3128"}, "https://console.gmicloud.ai/x", "http://p:3128"),
        ({"HTTPS_PROXY": "http://p:3128"}, "http://console.gmicloud.ai/x", None),
        ({"ALL_PROXY": "http://p:3128"}, "https://console.gmicloud.ai/x", "http://p:3128"),
        ({"HTTPS_PROXY": "p.corp:3128"}, "https://console.gmicloud.ai/x", "http://p.corp:3128"),
        ({"HTTPS_PROXY": "me:secret@p.corp:3128"}, "https://a.example/x", "http://me:secret@p.corp:3128"),
        ({"HTTPS_PROXY": "http://p:3128", "NO_PROXY": "gmicloud.ai"}, "https://console.gmicloud.ai/x", None),
        ({"HTTPS_PROXY": "http://p:3128", "NO_PROXY": ".gmicloud.ai"}, "https://console.gmicloud.ai/x", None),
        ({"HTTPS_PROXY": "http://p:3128", "NO_PROXY": "*"}, "https://console.gmicloud.ai/x", None),
        (
            {"HTTPS_PROXY": "http://p:3128", "NO_PROXY": "other.ai"},
            "https://console.gmicloud.ai/x",
            "http://p:3128",
        ),
        ({"ALL_PROXY": "http://p:3128"}, "http://127.0.0.1:8000/x", None),
        ({"ALL_PROXY": "http://p:3128"}, "http://localhost:8000/x", None),
        ({"NO_PROXY": "gmicloud.ai"}, "https://console.gmicloud.ai/x", None),
    ],
)
def test_the_environment_says_who_goes_through_which(
    named: dict[str, str], url: str, proxy: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As curl and requests read it, with or without a scheme; this machine itself is always reached directly."""
    for name, value in named.items():
        monkeypatch.setenv(name, value)

    assert proxy_for(url, proxies()) == proxy


@pytest.mark.parametrize("kind", ["socks5", "https"])
def test_a_proxy_of_another_kind_is_refused_without_its_password(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is said what is supported, before anything is sent."""
    monkeypatch.setenv("HTTPS_PROXY", f"{kind}://me:{PASSWORD}@p.corp:1080")

    with pytest.raises(errors.ConfigurationError, match=f"{kind} proxy") as caught:
        proxies()

    assert PASSWORD not in str(caught.value)


def test_a_proxy_shows_itself_to_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither its user nor its password stands in any repr."""
    monkeypatch.setenv("HTTPS_PROXY", f"me:{PASSWORD}@p.corp:3128")

    assert PASSWORD not in repr(proxies())


async def refusing(it: Peer, writer: asyncio.StreamWriter, head: str) -> None:
    writer.write(http(b"who are you?", "407 Proxy Authentication Required", "Proxy-Authenticate: Basic"))


async def dropping(it: Peer, writer: asyncio.StreamWriter, head: str) -> None:
    writer.close()


async def tunnelled(url: str, store: Ledger) -> errors.GmiVideoError:
    """How a submission ends that is to go through the proxy of the environment."""
    settings = settings_for(url, patience=PATIENT, check="off")
    async with Session(settings, rng=Random(0), store=store) as session:
        with pytest.raises(errors.GmiVideoError) as caught:
            await session.submit(EAGLE)
        return caught.value


def test_a_proxy_that_refuses_us_costs_nothing_and_is_not_asked_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A 407 to CONNECT means that nothing was sent; other credentials are needed. The password is shown nowhere."""
    caplog.set_level(logging.DEBUG)
    store = Ledger()

    async def main() -> tuple[errors.GmiVideoError, Peer]:
        async with peer(refusing) as proxy:
            monkeypatch.setenv("HTTPS_PROXY", f"http://me:{PASSWORD}@127.0.0.1:{proxy.port}")
            return await tunnelled("https://gmi.example/queue", store), proxy

    error, proxy = run(main(), debug=True)
    (head,) = proxy.heads
    credentials = base64.b64encode(f"me:{PASSWORD}".encode()).decode()

    assert isinstance(error, errors.Unreachable)
    assert (error.charged, error.retryable, error.attempts) == ("no", False, 1)
    assert "the proxy answered 407" in str(error)
    assert head.startswith("CONNECT gmi.example:443")
    assert f"Proxy-Authorization: Basic {credentials}" in head
    assert "Bearer" not in head
    assert store.states == ["sending", "prepared"]
    shown = caplog.text + str(error) + repr(error) + repr(vars(error))
    assert PASSWORD not in shown
    assert credentials not in shown


@pytest.mark.parametrize("how", ["drops", "refuses connects", "answers 502"])
def test_a_proxy_in_trouble_is_tried_again_and_costs_nothing(
    how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the tunnel stands not one byte of a submission has left."""

    async def main() -> tuple[errors.GmiVideoError, list[str]]:
        answering = dropping if how == "drops" else saying(http(b"", "502 Bad Gateway"))
        async with peer(answering) as proxy:
            port = proxy.port
            if how != "refuses connects":
                monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
                return await tunnelled("https://gmi.example/queue", Ledger()), proxy.heads
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
        return await tunnelled("https://gmi.example/queue", Ledger()), []

    error, heads = run(main())

    assert isinstance(error, errors.Unreachable), error
    assert (error.charged, error.attempts) == ("no", 3)
    assert len(heads) == (0 if how == "refuses connects" else 3)


def test_a_host_behind_a_proxy_that_is_not_the_service_gets_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tunnel stands, the certificate at its end is not accepted: the key and the prompt stay here."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(Path(__file__).parent / "faults" / "self-signed.pem")

    async def main() -> tuple[errors.GmiVideoError, int]:
        async def tunnel(it: Peer, writer: asyncio.StreamWriter, head: str) -> None:
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await writer.drain()
            await writer.start_tls(context)

        async with peer(tunnel) as proxy:
            monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
            return await tunnelled("https://gmi.example/queue", Ledger()), len(proxy.heads)

    error, tunnels = run(main())

    assert isinstance(error, errors.Unreachable)
    assert (error.retryable, error.charged, tunnels) == (False, "no", 1)


def test_loopback_needs_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """A session on this machine's sandbox ignores the company's proxy."""
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")

    async def main() -> int:
        async with peer(saying(http(b'{"request_id": "r-1", "status": "queued"}'))) as it:
            async with Session(Settings(api_key="k", base_url=it.url, check="off")) as session:
                await session.submit(EAGLE)
            return len(it.heads)

    assert run(main()) == 1
