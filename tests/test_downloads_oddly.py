"""Hosts that are within their rights, or not quite: whatever they do the file is whole, or there is a sentence."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from itertools import pairwise
from pathlib import Path

import pytest
from bytehost import Host
from fetching import LARGEST, PATIENT, storage
from films import film, large
from peers import Answering, Peer, http, peer, saying
from resuming import FILM, MIB, fetching
from scene import left_in

from gmi_video import Media, Patience, Session, Settings, errors
from gmi_video._carrying import Carrying, Wish
from gmi_video._part import Part
from gmi_video._range import head
from gmi_video._storage import Storage
from gmi_video._stream import MediaStream
from gmi_video._transport import make
from gmi_video.testing import run


@pytest.mark.parametrize("where", ["http://[::1/x", "https://u:CANARY@h\u2100.example/", "//["])
def test_a_redirect_to_what_is_no_link_is_refused_in_our_own_words(where: str, tmp_path: Path) -> None:
    """The parser's own error would quote it, password and all."""
    answer = http(b"", "302 Found", f"Location: {where}")

    async def main() -> errors.UnsafeURL:
        async with fetching(saying(answer)) as (session, media):
            with pytest.raises(errors.UnsafeURL) as caught:
                await session.download(media, to=tmp_path / "film.mp4")
            return caught.value

    error = run(main())
    assert "CANARY" not in repr(error) + str(error)
    assert left_in(tmp_path) == []


def test_a_link_that_is_none_is_refused_wherever_its_file_goes(tmp_path: Path) -> None:
    """Into a folder it needs a name as well, which is made of nothing of it."""

    async def main() -> None:
        async with fetching(saying()) as (session, _):
            with pytest.raises(errors.UnsafeURL):
                await session.download(Media("https://[bad/x.mp4"), into=tmp_path)

    run(main())


async def capped(it: Peer, writer: asyncio.StreamWriter, head: str) -> None:
    """A host that gives at most half a MiB of a range, and says so."""
    start = int(head.lower().partition("range: bytes=")[2].partition("-")[0] or 0)
    end = min(start + MIB // 2, len(FILM)) if start else len(FILM)
    told = [f"Content-Range: bytes {start}-{end - 1}/{len(FILM)}"] if start else []
    lines = [f"HTTP/1.1 {206 if start else 200} OK", f"Content-Length: {end - start}", 'ETag: "one"', *told]
    sent = FILM[start:end] if start else FILM[:MIB]  # the first answer is cut
    writer.write("\r\n".join([*lines, "", ""]).encode() + sent)


async def drained(stream: MediaStream) -> None:
    async for _ in stream:
        pass


@asynccontextmanager
async def storage_of(answering: Answering) -> AsyncIterator[tuple[str, Storage]]:
    """Where a peer's files lie, and the storage that opens them."""
    async with peer(answering) as it:
        transport = make(loopback=True)
        try:
            yield it.url, Storage(transport, loopback=True)
        finally:
            await transport.aclose()


@contextmanager
def kept(target: Path) -> Iterator[Part]:
    """A part that is left behind, as by a process that was killed."""
    part = Part(target)
    part.open()
    try:
        yield part
    finally:
        part.close(keep=True)


def test_a_part_of_a_range_is_gone_on_with(tmp_path: Path) -> None:
    """A host may send less than was asked for: a download asks for the rest, and a stream says what is missing."""

    async def main() -> list[str]:
        async with peer(capped) as it:
            async with Session(Settings(api_key="a-key", base_url=it.url, patience=PATIENT)) as session:
                media = Media(f"{it.url}/film.mp4")
                saved = await session.download(media, to=tmp_path / "film.mp4")
                assert saved.path.read_bytes() == FILM
                calls = list(it.heads)
                async with session.stream(media, start=1000, stop=2_000_000) as stream:
                    with pytest.raises(errors.Incomplete, match=r"524,288 bytes came of 1,999,000"):
                        await drained(stream)
            return calls

    assert len(run(main())) == 3


@pytest.mark.parametrize(("query", "calls"), [("file=2", [200, 200, 200]), ("file=1", [200])])
def test_what_came_is_this_links_file_and_no_others(query: str, calls: list[int], tmp_path: Path) -> None:
    """All of it came, and its process was killed: of another link the host is asked before it is put at its place."""
    first, second = Host(large(3 * MIB)), Host(large(3 * MIB)[:-1] + b"!", headers={"ETag": '"two"'})
    statuses: list[int] = []

    async def either(it: Peer, writer: asyncio.StreamWriter, head: str) -> None:
        host = second if "file=2" in head else first
        await host(it, writer, head)
        statuses.append(host.ranges[-1][1])

    async def main() -> bytes:
        target, wish = tmp_path / "film.mp4", Wish(largest=LARGEST)
        async with storage_of(either) as (url, storage):
            wanted = Media(f"{url}/play.mp4?{query}")
            with kept(target) as part:
                await Carrying(storage, part, wish).attempt(Media(f"{url}/play.mp4?file=1"))
            with kept(target) as part:
                again = Carrying(storage, part, wish)
                await again.attempt(wanted)
                await again.finish(wanted)
        return target.read_bytes()

    assert run(main()) == (second if query == "file=2" else first).body
    assert statuses == calls


def test_the_same_file_by_a_fresh_link_is_not_fetched_again(tmp_path: Path) -> None:
    """A link that was signed anew leads to the same edition: one byte shows that."""
    host = Host(FILM)

    async def main() -> None:
        async with storage_of(host) as (url, storage):
            for token in ("one", "two"):
                with kept(tmp_path / "film.mp4") as part:
                    carrying = Carrying(storage, part, Wish(largest=LARGEST))
                    await carrying.attempt(Media(f"{url}/film.mp4?token={token}"))

    run(main())
    assert host.ranges == [(0, 200), (len(FILM) - 1, 206)]
    assert host.sent == len(FILM) + 1


def test_a_checksum_that_nobody_takes_proves_nothing(tmp_path: Path, bare: None) -> None:
    """Without the extra `speed` a CRC-32C alone, without a length, leaves half a file what it is."""
    name, body = "sound.mp3", (b"\xff\xfb\x90\x00" + bytes(413)) * 50
    answer = b"HTTP/1.1 200 OK\r\nx-goog-hash: crc32c=AAAAAA==\r\n\r\n" + body[: len(body) // 2]

    async def main() -> None:
        async with storage_of(saying(answer)) as (url, storage):
            with kept(tmp_path / name) as part:
                carrying = Carrying(storage, part, Wish(largest=LARGEST))
                with pytest.raises(errors.IntegrityError, match="nothing proves that it is whole"):
                    await carrying.attempt(Media(f"{url}/{name}", kind="audio"))

    run(main())
    assert left_in(tmp_path) == []


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the extra `speed` were not installed."""
    from gmi_video import _digests  # noqa: PLC0415

    monkeypatch.setattr(_digests, "_fast", lambda: None)


@pytest.mark.parametrize("tapped", [False, True])
def test_closing_the_session_wakes_who_reads(tapped: bool, tmp_path: Path) -> None:
    """Nobody waits for a stall where the connection is gone by our own doing; what came is kept."""
    began = asyncio.Event()

    async def half(it: Peer, writer: asyncio.StreamWriter, head: str) -> None:
        length = (40 if tapped else 2) * MIB
        writer.write(
            f'HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nETag: "one"\r\n\r\n'.encode() + FILM[:MIB]
        )
        await writer.drain()
        began.set()
        await asyncio.Event().wait()

    async def main() -> float:
        loop = asyncio.get_running_loop()
        async with fetching(half, patience=Patience(attempts=1)) as (session, media):
            download = asyncio.ensure_future(session.download(media, to=tmp_path / "film.mp4"))
            await began.wait()
            await asyncio.sleep(2)
            at = loop.time()
            await session.aclose()
            with pytest.raises(errors.GmiVideoError):
                await download
            return loop.time() - at

    assert run(main()) < 5
    assert any(name.endswith(".part") for name in left_in(tmp_path))


def test_a_name_that_was_taken_meanwhile_costs_no_second_fetch(tmp_path: Path) -> None:
    """What came goes to the other name; a name that is not to be had at all is told."""
    target, beside = tmp_path / "film.mp4", tmp_path / "film-2.mp4"

    async def taking(it: Peer, writer: asyncio.StreamWriter, head: str) -> None:
        target.write_bytes(b"theirs")
        writer.write(http(FILM))

    async def main() -> tuple[int, Path]:
        async with storage(taking) as (it, downloads):
            wish = Wish(largest=LARGEST, beside=beside)
            media = Media(f"{it.url}/film.mp4")
            saved = await downloads.save(media, target, wish=wish, patience=PATIENT)
            calls = len(it.heads)
            with pytest.raises(errors.TargetUnusable, match="appeared meanwhile"):
                await downloads.save(media, target, wish=wish, patience=PATIENT)
            return calls, saved.path

    assert run(main()) == (1, beside)
    assert (target.read_bytes(), beside.read_bytes()) == (b"theirs", FILM)
    assert left_in(tmp_path) == ["film-2.mp4", "film.mp4"]


def test_a_storage_host_that_asks_for_a_rest_has_it(tmp_path: Path) -> None:
    """Never earlier than it said; one that asks for longer than patience lasts is told at once."""
    moments: list[float] = []
    body = film("mp4")

    async def busy(it: Peer, writer: asyncio.StreamWriter, head: str) -> None:
        moments.append(asyncio.get_running_loop().time())
        wait = "7" if len(moments) < 3 else "100"
        fine = len(moments) == 3
        writer.write(http(body) if fine else http(b"", "503 Busy", f"Retry-After: {wait}"))

    async def main() -> errors.GmiVideoError:
        patient = Patience(attempts=5, first=0.1, longest=30)
        async with fetching(busy, patience=patient) as (session, media):
            await session.download(media, to=tmp_path / "film.mp4")
            with pytest.raises(errors.TransferError) as caught:
                await session.download(media, to=tmp_path / "other.mp4")
            return caught.value

    error = run(main())
    assert all(later - earlier >= 7 for earlier, later in pairwise(moments[:3]))
    assert (len(moments), getattr(error, "retry_after", None)) == (4, 100.0)


def test_the_head_of_an_answer_tells_a_link_from_another() -> None:
    """By a digest: nothing of the link is in it."""
    told = [head(f"https://x.example/a?s={query}", 200, {}) for query in ("1", "2", "1")]

    links = [one.edition.link for one in told if one is not None]
    assert links[0] == links[2] != links[1]
    assert all(link is not None and "example" not in link for link in links)


@pytest.mark.parametrize(
    ("hosts", "refused"),
    [(None, False), (("127.0.0.1",), False), (("storage.googleapis.com",), True)],
)
def test_only_named_hosts_are_spoken_to(hosts: tuple[str, ...] | None, refused: bool, tmp_path: Path) -> None:
    """Where `Settings.storage_hosts` is given, files come from those and go to those, redirects included."""
    body = film("mp4")

    async def main() -> list[str]:
        async with peer(saying(http(body))) as it:
            settings = Settings(api_key="a-key", base_url=it.url, storage_hosts=hosts, patience=PATIENT)
            async with Session(settings) as session:
                media = Media(f"{it.url}/film.mp4")
                if refused:
                    with pytest.raises(errors.UnsafeURL, match=r"none of Settings\.storage_hosts"):
                        await session.download(media, into=tmp_path)
                else:
                    await session.download(media, into=tmp_path)
            return it.heads

    assert len(run(main())) == (not refused)
    assert len(left_in(tmp_path)) == (not refused)


def test_a_redirect_to_a_host_that_is_not_named_is_refused(tmp_path: Path) -> None:
    """The name is held against the list at each hop."""
    answer = http(b"", "302 Found", "Location: https://storage.googleapis.com/a.mp4")

    async def main() -> None:
        async with fetching(saying(answer), storage_hosts=("127.0.0.1",)) as (session, media):
            with pytest.raises(errors.UnsafeURL, match=r"none of Settings\.storage_hosts"):
                await session.download(media, into=tmp_path)

    run(main())


@pytest.mark.parametrize("keep", [True, False])
@pytest.mark.parametrize("how", ["cancelled", "failed"])
def test_what_came_is_kept_or_not_as_it_was_said(keep: bool, how: str, tmp_path: Path) -> None:
    """Broken off or given up, a download leaves what it has for the next one, or nothing."""
    began = asyncio.Event()

    async def half(it: Peer, writer: asyncio.StreamWriter, head: str) -> None:
        writer.write(
            f'HTTP/1.1 200 OK\r\nContent-Length: {2 * MIB}\r\nETag: "one"\r\n\r\n'.encode() + FILM[:MIB]
        )
        await writer.drain()
        began.set()
        if how == "cancelled":
            await asyncio.Event().wait()

    async def main() -> None:
        async with fetching(half, patience=Patience(attempts=1)) as (session, media):
            download = asyncio.ensure_future(session.download(media, to=tmp_path / "film.mp4", keep=keep))
            await began.wait()
            await asyncio.sleep(2)
            if how == "cancelled":
                download.cancel()
            await asyncio.wait((download,))
            assert download.cancelled() or isinstance(download.exception(), errors.Incomplete)

    run(main())
    assert any(name.endswith(".part") for name in left_in(tmp_path)) is keep
    assert keep or left_in(tmp_path) == []


def test_a_stream_that_broke_at_once_handed_nothing_out() -> None:
    """Its position says where to go on: at the byte that nobody has seen."""
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + FILM[:300]

    async def main() -> None:
        async with fetching(saying(answer)) as (session, media), session.stream(media) as stream:
            with pytest.raises(errors.Incomplete):
                await drained(stream)
            assert stream.position == 0

    run(main())


def test_a_part_of_a_file_of_unknown_length_is_said_to_be_one() -> None:
    """Where the host does not tell the whole, less than was asked for is not taken for the end."""

    async def some(it: Peer, writer: asyncio.StreamWriter, head: str) -> None:
        lines = ["HTTP/1.1 206 OK", "Content-Length: 500", "Content-Range: bytes 1000-1499/*", "", ""]
        writer.write("\r\n".join(lines).encode() + FILM[1000:1500])

    async def main() -> None:
        async with fetching(some) as (session, media), session.stream(media, start=1000, stop=2000) as stream:
            with pytest.raises(errors.Incomplete, match="500 bytes came of 1,000"):
                await drained(stream)

    run(main())
