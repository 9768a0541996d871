"""`Sandbox`: the local GMI Cloud, open for as long as an `async with` lasts."""

import asyncio
import math
import time
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from random import Random
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self

from gmi_video.sandbox import apikey, bucket, console, doors, early, elsewhere
from gmi_video.sandbox.answers import Answer
from gmi_video.sandbox.calls import CallLog, Operation, SeenCall
from gmi_video.sandbox.queue import Request
from gmi_video.sandbox.resources import Asked, Resources
from gmi_video.sandbox.script import Reading, Script
from gmi_video.sandbox.service import Charge, Service
from gmi_video.sandbox.sessions import Sessions
from gmi_video.sandbox.stage import HttpCall, Stage
from gmi_video.sandbox.studio import Rendering, Studio

if TYPE_CHECKING:
    from gmi_video.settings import Settings


class Sandbox:
    """GMI Cloud's video queue on this machine: real HTTP, real files, nobody's money.

    Time is the running event loop's clock plus an offset to the wall clock that is fixed on entry, so on a
    loop whose clock jumps hours of work pass at once. Two runs of one seed do the same.

    Args:
        script: what goes wrong; nothing, unless told.
        seed: of ids, durations and all else that is drawn.
        speed: divides the seconds of a request's life (not the limits of a rate).
        host: where to listen.
        port: of the API; 0 takes a free one. The artifacts' origin listens on the port above it, or on a
            free one.
        api_key: the one key that is accepted; may be changed while the sandbox runs.
        render: True: an artifact is rendered when it is first fetched; "early": also when its request is
            first seen at work, so that it is there when the request is done; False: always the small sample
            shipped with the package, which costs nothing.
        login: e-mail and password of the console door.
        one_time_code: the second factor that a login is asked for, where it is not None; may be changed.
        token_lasts: seconds for which an access token of the console is good.
        keep_calls: False keeps only counts and peaks of calls, for runs of millions.
    """

    def __init__(
        self,
        script: Script | None = None,
        *,
        seed: int = 0,
        speed: float = 1.0,
        host: str = "127.0.0.1",
        port: int = 0,
        api_key: str = "sandbox-key",
        render: Rendering = True,
        login: tuple[str, str] = ("ada@example.com", "sandbox-password"),
        one_time_code: str | None = None,
        token_lasts: float = 900.0,
        keep_calls: bool = True,
    ) -> None:
        if speed <= 0:
            raise ValueError(f"speed is {speed!r}; a number above 0 is wanted")
        self._host, self._port = host, port
        self._offset = 0.0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._log = CallLog(keep=keep_calls)
        self._service = Service(Reading(script or Script()), Random(seed), speed)
        self._studio = Studio(render)
        self._bucket = bucket.Bucket(self._service, self._studio, self.now)
        resources = Resources(self._service, self._wait_until, self.now, self._working, self._bucket.issue)
        queue = self._service.queue
        self._sessions = Sessions(
            *login,
            one_time_code,
            token_lasts,
            Random(f"{seed} sessions"),
            queue.user_id,
            queue.org_id,
        )
        self._doors = doors.Doors.of(resources, api_key, self._sessions)
        reading = self._service.reading
        self._api = Stage(
            "api",
            doors.route,
            self._answer_api,
            self._log,
            self.now,
            reading.next,
            reading.connection,
            self._away,
        )
        self._catalog = Stage("api", early.route_catalog, self._answer_api, self._log, self.now, reading.next)
        self._media = Stage(
            "media",
            bucket.route,
            self._bucket.answer,
            self._log,
            self.now,
            reading.next,
            elsewhere=self._away,
            spools=True,
        )
        self._elsewhere = Stage("elsewhere", elsewhere.route, elsewhere.answer, self._log, self.now)

    async def __aenter__(self) -> Self:
        if self._loop is not None:
            raise RuntimeError("this sandbox was already entered; make a new one for each run")
        self._loop = asyncio.get_running_loop()
        # Whole seconds, so that on a loop whose clock starts at a fixed time two runs round their times alike.
        self._offset = math.floor(time.time() - self._loop.time())
        try:
            await self._media.open(self._host, self._port and self._port + 1)
            await self._api.open(self._host, self._port)
            await self._elsewhere.open(self._host, 0)
            await self._catalog.open(self._host, 0)
        except OSError:
            await self._close()
            raise
        self._service.media_url = self._bucket.url = self._media.url
        for after, seconds in self._service.reading.script.outages:
            self._api.refuse(seconds, after)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._close()
        self._service.close(self.now())
        await self._studio.close()

    async def _close(self) -> None:
        for stage in (self._api, self._catalog, self._media, self._elsewhere):
            await stage.close()

    @property
    def url(self) -> str:
        """The base URL of the API-key door, the whole prefix."""
        return self._api.url + apikey.PREFIX

    @property
    def console_url(self) -> str:
        """The base URL of the console door; the account stands beside it, under `/api/v1/me`."""
        return self._api.url + console.PREFIX

    @property
    def early_url(self) -> str:
        """The base URL of the early page's queue."""
        return self._api.url + early.PREFIX

    @property
    def catalog_url(self) -> str:
        """The base URL of the early page's list of models, which is at another origin."""
        return self._catalog.url + early.PREFIX

    @property
    def media_url(self) -> str:
        """The second origin, where artifacts lie."""
        return self._media.url

    @property
    def elsewhere_url(self) -> str:
        """The third origin, to which a scripted redirect leads; its calls have the origin "elsewhere"."""
        return self._elsewhere.url

    def _away(self) -> str:
        return self._elsewhere.url

    @property
    def api_key(self) -> str:
        """The one key that is accepted; setting it expires the one before."""
        return self._doors.keys.api_key

    @api_key.setter
    def api_key(self, api_key: str) -> None:
        self._doors.keys.api_key = api_key

    @property
    def one_time_code(self) -> str | None:
        """What a login must give as its second factor; None: nothing."""
        return self._sessions.code

    @one_time_code.setter
    def one_time_code(self, code: str | None) -> None:
        self._sessions.code = code

    def expire_tokens(self, *, refresh: bool = False) -> None:
        """Every access token of the console is dead from now on; with `refresh` the refresh tokens as well."""
        self._sessions.expire(refresh=refresh)

    @property
    def settings(self) -> "Settings":
        """Settings with which a session finds this sandbox by its API key."""
        return self.settings_at("apikey")

    def settings_at(self, door: Literal["apikey", "console", "early"]) -> "Settings":
        """Settings with which a session finds this sandbox at a door."""
        from gmi_video.sandbox.addressed import settings_at  # noqa: PLC0415  # a server alone needs no client

        return settings_at(self, door)

    @property
    def login(self) -> tuple[str, str]:
        """The e-mail and the password of the console door."""
        return self._sessions.email, self._sessions.password

    @property
    def note(self) -> str | None:
        """A sentence on the artifacts where they cannot be what was asked for; None where they are."""
        return self._studio.note

    @property
    def clips_under_way(self) -> int:
        """How many artifacts are being rendered at this moment."""
        return self._studio.under_way

    @property
    def charges(self) -> list[Charge]:
        """One row per accepted submission of ours, oldest first: the oracle of every money test."""
        self._service.advance(self.now())
        return self._service.charges

    @property
    def foreign_charges(self) -> list[Charge]:
        """One row per request that somebody else made on this account, oldest first."""
        self._service.advance(self.now())
        return self._service.foreign

    def intrude(self, model: str, payload: Mapping[str, object], *, console: bool = False) -> str:
        """Makes a request as another process on this account would, and gives its id.

        `console`: as somebody does by hand in the web console; such a request is listed, and 404 by id.

        Raises:
            RefusedError: the service says no, as it would have said to that process.
        """
        return self._service.intrude(self.now(), model, payload, console=console).request_id

    def place(self, name: str, body: bytes | memoryview, content_type: str = "video/mp4") -> str:
        """Puts an object of any size into the bucket, and gives its public URL."""
        return self._bucket.place(name, body, content_type)

    def refusing(self, origin: Literal["api", "media"] = "api") -> AbstractAsyncContextManager[None]:
        """`async with sandbox.refusing():` connects to that origin are refused; open connections stay."""
        return (self._api if origin == "api" else self._media).refusing()

    def count_faults(self, *operations: Operation | Literal["connect"]) -> int:
        """How many calls (or connections) of these operations met a fault; none named: of all."""
        faults = self._log.faults
        return sum(count for (name, _), count in faults.items() if not operations or name in operations)

    @property
    def calls(self) -> list[SeenCall]:
        """Every HTTP call seen at both origins, in the order in which they began."""
        return self._log.rows

    def count_calls(self, *operations: Operation) -> int:
        """How many calls of these operations came in; none named: of all."""
        counts = self._log.counts
        return sum(counts[name] for name in operations) if operations else counts.total()

    def peak_calls(self, *operations: Operation) -> int:
        """The most calls of these operations ever under way together; none named: of all.

        Raises:
            LookupError: several were named and `keep_calls` is off.
        """
        return self._log.peak(*operations)

    def balance(self) -> int | None:
        """The account's credit now, in micro-USD; None where it never runs out."""
        return self._service.account.credit(self.now())

    def now(self) -> float:
        """The sandbox's Unix time, of which `created_at` and `Date` are the whole seconds."""
        assert self._loop is not None
        return self._loop.time() + self._offset

    async def _wait_until(self, moment: float) -> None:
        await asyncio.sleep(max(0.0, moment - self.now()))

    def _working(self, request: Request) -> None:
        if self._studio.rendering == "early" and request.life.end == "success":
            self._studio.expect(self._service.clip(request))

    async def _answer_api(self, call: HttpCall) -> Answer:
        behaviour = call.behaviour
        if behaviour.answers_after and call.operation != "submit":
            await self._wait_until(self.now() + behaviour.answers_after / self._service.speed)
        if behaviour.answer is not None:
            return behaviour.answer
        authorization = call.header("Authorization")
        body = bytes(call.body)
        asked = Asked(call.operation, call.subject, call.query, authorization, body, behaviour, call.path)
        answer = await self._doors.at(call.path)(asked)
        return answer if call.operation == "submit" else behaviour.shape(answer)
