"""What a session tells observers and the log, and what it never shows anybody."""

import logging
import traceback
from collections.abc import Coroutine
from pathlib import Path
from random import Random
from typing import Any

import pytest
from attrs import evolve
from peers import http, peer, saying
from scene import EAGLE, settings_for, stage, told

from gmi_video import (
    Ended,
    Exchange,
    Media,
    Notice,
    Patience,
    Session,
    Submitted,
)
from gmi_video.testing import run

KEY = "gmi-key-that-nobody-may-see"


QUERY = "X-Goog-Signature=presigned-that-nobody-may-see"


async def everything_about(work: Coroutine[Any, Any, object]) -> list[str]:
    """What can be printed of a result, or of an error: with the locals of every frame below this one."""
    try:
        return [repr(await work)]
    except Exception as error:  # noqa: BLE001  # whatever it is
        shown = traceback.TracebackException.from_exception(error, capture_locals=True)
        return [*shown.format(), f"{error!s} {error!r} {error.args} {error.__dict__}"]


def test_what_happens_is_told_to_observers() -> None:
    """Each exchange, each acceptance and each end is one frozen notice; the count of calls is the server's."""

    async def main() -> None:
        notices: list[Notice] = []
        async with stage(observers=[notices.append]) as (sandbox, session):
            await session.generate(EAGLE)
            (charge,) = sandbox.charges
            api = [call for call in sandbox.calls if call.origin == "api"]
        exchanges = [notice for notice in notices if isinstance(notice, Exchange)]

        assert len(exchanges) == len(api)
        assert [exchange.method for exchange in exchanges] == [call.method for call in api]
        assert all(exchange.status and exchange.received > 100 for exchange in exchanges)
        assert [exchange.operation for exchange in exchanges[:2]] == ["model", "submit"]
        assert exchanges[1].sent > 20
        assert [notice.request_id for notice in notices if isinstance(notice, Submitted)] == [
            charge.request_id
        ]
        assert [notice.request_id for notice in notices if isinstance(notice, Ended)] == [charge.request_id]

    run(main())


def test_the_log_tells_exchanges_at_debug(caplog: pytest.LogCaptureFixture) -> None:
    """The default observer writes to the logger `gmi_video`, exchanges at DEBUG, the rest at INFO."""
    caplog.set_level(logging.DEBUG, logger="gmi_video")

    async def main() -> None:
        async with stage() as (_, session):
            await session.generate(EAGLE)

    run(main())
    levels = {
        type(record.notice).__name__: record.levelname
        for record in caplog.records
        if hasattr(record, "notice")
    }

    assert levels["Exchange"] == "DEBUG"
    assert levels["Submitted"] == levels["Ended"] == "INFO"


def test_no_text_shows_the_key_or_a_presigned_query(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    """Logs, reprs, notices and tracebacks with all their locals hold neither, whatever goes wrong."""
    caplog.set_level(logging.DEBUG)
    texts: list[str] = []
    record = '{"request_id": "r-1", "model": "Veo3", "status": "success", "outcome": {"video_url": "%s"}}'

    async def walk(answer: bytes, notices: list[Notice]) -> None:
        async with peer(saying(answer), keeps=True) as it:
            settings = settings_for(
                it.url, organization="org-that-nobody-may-see", patience=Patience(attempts=1)
            )
            session = Session(evolve(settings, api_key=KEY), rng=Random(0), observers=[notices.append])
            texts.append(f"{session!r} {session.settings!r} {vars(session)!r} {session._core.keyring!r}")
            async with session:
                link = Media(f"{it.url}/film.mp4?{QUERY}")
                works = [
                    session.snapshot("r-1"),
                    session.models(),
                    session.submit(EAGLE),
                    told(session.watch(["r-1"], deadline=5)),
                    session.resume("r-1", into=tmp_path, deadline=5),
                    session.download(link, to=tmp_path / "film.mp4", overwrite=True),
                ]
                for work in works:
                    texts.extend(await everything_about(work))

    async def main() -> None:
        notices: list[Notice] = []
        echo = f'{{"error": "bad key {KEY}"}}'.encode()
        answers = [
            b"garbage",
            http(b"{", "200 OK"),
            http(b"{}", "200 OK"),
            *(http(echo, f"{status} No") for status in (400, 401, 403, 404, 429, 500, 503)),
            http(b"", "302 Found", f"Location: http://storage.example/x?{QUERY}"),
            http((record % f"https://10.0.0.1:8443/film.mp4?{QUERY}").encode()),
            http((record % f"ftp://storage.example/film.mp4?{QUERY}").encode()),
        ]
        for answer in answers:
            await walk(answer, notices)
        texts.extend(repr(notice) for notice in notices)

    run(main())
    texts.extend(f"{entry.getMessage()} {entry.__dict__}" for entry in caplog.records)
    whole = "\n".join(texts)

    assert len(texts) > 200
    for secret in (KEY, "presigned-that-nobody-may-see", "org-that-nobody-may-see"):
        assert secret not in whole, whole[max(0, whole.index(secret) - 1500) : whole.index(secret) + 100]
