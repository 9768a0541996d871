"""The storage host: artifacts of finished requests, uploads by signed URL, and objects that a test puts there.

One bucket on one origin, as on the real host: it wants no key, and the API's credentials have no place here.
"""

import asyncio
from collections.abc import Callable, Mapping
from types import MappingProxyType
from urllib.parse import unquote, urlsplit

from attrs import define, field

from gmi_video.sandbox import storage
from gmi_video.sandbox.answers import Answer, Bytes
from gmi_video.sandbox.bodies import LARGE
from gmi_video.sandbox.calls import Operation
from gmi_video.sandbox.service import Service
from gmi_video.sandbox.signing import signed
from gmi_video.sandbox.stage import HttpCall
from gmi_video.sandbox.storage import Stored
from gmi_video.sandbox.studio import Studio

TYPES: Mapping[str, str] = MappingProxyType(
    {
        "jpeg": "image/jpeg",
        "jpg": "image/jpg",
        "png": "image/png",
        "mp4": "video/mp4",
        "mp3": "audio/mpeg",
        "wav": "audio/wav",
    }
)
"""The file types that can be uploaded, and the content type that is signed for each: `jpg` is signed literally,
so that the usual image/jpeg is refused there."""


def route(method: str, path: str) -> tuple[Operation, str] | Answer:
    """Reading and putting are all that can be done here; the subject is the object's path."""
    if method == "PUT":
        return "put", unquote(path)
    return ("media", unquote(path)) if method in {"GET", "HEAD"} else storage.method_not_allowed()


@define
class Bucket:
    """The objects of one run, by path."""

    service: Service
    studio: Studio
    now: Callable[[], float]
    url: str = ""
    """This origin."""
    _objects: dict[str, Stored] = field(init=False, factory=dict)
    _turns: int = field(init=False, default=0)

    def issue(self, file_type: object) -> Answer:
        """Where a file of this type may be put, and where it can be read then; 400 for any other type."""
        script = self.service.reading.script
        types = {**TYPES, **script.upload_types}
        if not isinstance(file_type, str) or file_type not in types:
            return Answer.refusal(400, f"invalid file_type, allowed: {', '.join(types)}")
        path = f"{self.service.folder('uploaded')}{self.service.queue.new_id()}.{file_type}"
        query = self.service.signer.query(
            "PUT",
            urlsplit(self.url).netloc,
            path,
            self.now(),
            script.upload_lasts,
            content_type=types[file_type],
        )
        public = f"{script.links or self.url}{path}"
        return Answer.of({"upload_url": f"{self.url}{path}?{query}", "public_url": public})

    def place(self, name: str, body: Bytes, content_type: str) -> str:
        """Puts an object into the bucket, and gives its public URL."""
        path = f"{self.service.folder('placed')}{name}"
        self._objects[path] = Stored.of(body, content_type)
        return f"{self.service.reading.script.links or self.url}{path}"

    async def answer(self, call: HttpCall) -> Answer:
        """What the storage says; a scripted answer goes before."""
        behaviour = call.behaviour
        if behaviour.answer is not None:
            return behaviour.answer
        answer = await (self._put(call) if call.operation == "put" else self._get(call))
        return behaviour.shape(answer)

    async def _put(self, call: HttpCall) -> Answer:
        if not signed(call.query):
            return storage.method_not_allowed()
        objection = self.service.signer.objection(
            call.method, call.path, call.query, call.headers, self.now()
        )
        if objection is not None:
            return objection
        stored = await _stored(call.body, call.header("Content-Type"))
        serving = call.behaviour.serving or self.service.reading.script.serving
        if serving.flips is not None:
            stored = await _stored(stored.flipped(serving.flips), stored.content_type)
        self._objects[call.subject] = stored
        return storage.kept(stored, serving)

    async def _get(self, call: HttpCall) -> Answer:
        stored = self._objects.get(call.subject)
        if stored is None:
            folder = self.service.folder()
            name = call.subject.removeprefix(folder) if call.subject.startswith(folder) else ""
            artifact = self.service.artifact(self.now(), name)
            if artifact is None:
                return storage.no_such_key()
            refusal = self._unsealed(call, artifact.ends_as) if artifact.sealed else None
            if refusal is not None:
                return refusal
            stored = await self.studio.make(artifact.clip)
        self._turns += 1
        serving = call.behaviour.serving or self.service.reading.script.serving
        return storage.answer(stored, call.headers, serving, self._turns)

    def _unsealed(self, call: HttpCall, ends_as: int) -> Answer | None:
        """What is said to a call for a file that only a signed link leads to; None: its link is good."""
        signer, now = self.service.signer, self.now()
        if not signed(call.query):
            return storage.access_denied()
        if ends_as == 400 or not signer.ended(call.query, now):
            return signer.objection(call.method, call.path, call.query, call.headers, now)
        return storage.gone(ends_as)


async def _stored(body: Bytes, content_type: str) -> Stored:
    if len(body) <= LARGE:
        return Stored.of(body, content_type)
    return await asyncio.get_running_loop().run_in_executor(None, Stored.of, body, content_type)
