"""Names that lead elsewhere than they seem to: by two addresses, or by another one at the next question."""

import ssl
from asyncio import StreamWriter
from pathlib import Path
from random import Random

import pytest
from films import film
from nets import PUBLIC, Net, run_in
from peers import Peer, http, peer
from scene import left_in

from gmi_video import Media, Patience, Saved, errors
from gmi_video._carrying import Wish
from gmi_video._downloads import Downloads
from gmi_video._transport import AiohttpTransport

CERTIFICATE = Path(__file__).parent / "self-signed.pem"
PRIVATE = ("127.0.0.1", "::1", "::ffff:127.0.0.1", "10.0.0.1", "169.254.169.254", "fd00::1")
ONCE = Patience(attempts=1)


def _contexts() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's that shows the certificate, and a client's that takes it for any name."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(CERTIFICATE)
    client = ssl.create_default_context(cafile=str(CERTIFICATE))
    client.check_hostname = False
    return server, client


async def _film(_: Peer, writer: StreamWriter, __: str) -> None:
    writer.write(http(film("mp4"), "200 OK", "Content-Type: video/mp4"))


async def _saved(context: ssl.SSLContext, url: str, target: Path) -> Saved:
    """The download of a session whose API is elsewhere."""
    transport = AiohttpTransport(context=context, loopback=False, known={})
    downloads = Downloads(transport, most=1, loopback=False, rng=Random(1))
    try:
        return await downloads.save(Media(url), target, wish=Wish(largest=10**9), patience=ONCE)
    finally:
        await transport.aclose()


@pytest.mark.parametrize("private", PRIVATE)
def test_a_name_that_becomes_private_is_not_followed(private: str, tmp_path: Path) -> None:
    """Asked twice, the name is public first and private then: the address that is gone to is the one that is judged."""
    net = Net((PUBLIC,), (private,))

    async def main() -> int:
        server, client = _contexts()

        async def onwards(_: Peer, writer: StreamWriter, __: str) -> None:
            writer.write(http(b"", "302 Found", f"Location: https://moves.example:{inner.port}/film.mp4"))

        async with peer(_film, tls=server) as inner, peer(onwards, tls=server) as outer:
            with pytest.raises(errors.UnsafeURL, match="leads to a private address"):
                await _saved(client, f"https://moves.example:{outer.port}/film.mp4", tmp_path / "film.mp4")
            return inner.connections

    assert run_in(net, main()) == 0
    assert net.gone_to == [PUBLIC]
    assert left_in(tmp_path) == []


@pytest.mark.parametrize("private", PRIVATE)
@pytest.mark.parametrize("first", [True, False])
def test_a_name_with_a_private_address_beside_a_public_one_is_not_tried_there(
    private: str, first: bool, tmp_path: Path
) -> None:
    """Where the public address is dead, the private one beside it is not the next choice."""
    net = Net((private, PUBLIC) if first else (PUBLIC, private), dark=True)

    async def main() -> int:
        server, client = _contexts()
        async with peer(_film, tls=server) as inner:
            with pytest.raises((errors.UnsafeURL, errors.Unreachable)):
                await _saved(client, f"https://both.example:{inner.port}/film.mp4", tmp_path / "film.mp4")
            return inner.connections

    assert run_in(net, main()) == 0
    assert set(net.gone_to) == {PUBLIC}
    assert left_in(tmp_path) == []


def test_a_public_name_is_followed(tmp_path: Path) -> None:
    """The net leads to the film where nothing is private: what the others prove is not its absence."""
    net = Net((PUBLIC,))

    async def main() -> Saved:
        server, client = _contexts()
        async with peer(_film, tls=server) as it:
            return await _saved(client, f"https://plain.example:{it.port}/film.mp4", tmp_path / "film.mp4")

    assert run_in(net, main()).path.read_bytes() == film("mp4")
    assert net.gone_to == [PUBLIC]
