"""`Script`: what goes wrong in one run of the sandbox, as a frozen value, and the reading of it."""

from collections.abc import Iterable, Iterator, Mapping

from attrs import define, evolve, field, frozen

from gmi_video.sandbox.behaviour import SILENT, Behaviour
from gmi_video.sandbox.chances import NONE, Dice, Faults
from gmi_video.sandbox.faults import Fault
from gmi_video.sandbox.listing import HONEST, Listing
from gmi_video.sandbox.serving import HONEST_BUCKET, Serving


@frozen(kw_only=True)
class Script:
    """What goes wrong, where and when. An empty script is a healthy service.

    `models` maps a model id, or "*" for all, to a behaviour. `submissions`, `looks`, `lists`, `catalog`,
    `uploads` (asking for an upload URL), `puts` (using it), `media`, `logins` and `refreshes` are consumed in order, one behaviour
    per call of that kind, None for a healthy one; after the last, calls are healthy again. Any iterable will do, an endless one as well; an iterator serves one run.
    """

    models: Mapping[str, Behaviour] = field(factory=dict)
    submissions: Iterable[Behaviour | None] = ()
    looks: Iterable[Behaviour | None] = ()
    lists: Iterable[Behaviour | None] = ()
    catalog: Iterable[Behaviour | None] = ()
    uploads: Iterable[Behaviour | None] = ()
    puts: Iterable[Behaviour | None] = ()
    media: Iterable[Behaviour | None] = ()
    logins: Iterable[Behaviour | None] = ()
    refreshes: Iterable[Behaviour | None] = ()
    balance: int | None = None
    """The account's credit in micro-USD; None: it never runs out. A submission that costs more is a 402."""
    unauthorized_from: int | None = None
    """From the n-th API call on (the first is 1) the key has expired: 401."""
    links: str | None = None
    """Origin named in the links of outcomes instead of the sandbox's own, e.g. `https://storage.googleapis.com`
    for a client that takes nothing but https; paths stay as they are."""
    page: int = 100
    """Records of a list page where the caller names no `limit`; the real default is unknown."""
    longest_page: int = 100
    """The most records of one list page; clients in the field ask for 100, the real maximum is unknown."""
    listing: Listing = HONEST
    """How every list of the run departs from a whole one, newest first."""
    serving: Serving = HONEST_BUCKET
    """How the bucket departs from an honest one, in every call."""
    upload_lasts: int = 899
    """Seconds for which an upload URL can be used; 899 were seen."""
    upload_types: Mapping[str, str] = field(factory=dict)
    """Further file types, or other content types for known ones: `{"mp3": "audio/mp3"}`, as one client has it."""
    faults: Faults = NONE
    """What happens to calls on the wire, by seed and by number; a `Behaviour.fault` of a row goes before."""
    outages: Iterable[tuple[float, float]] = ()
    """(seconds after the sandbox is entered, seconds): the API's port refuses connects for that long."""


@define
class Reading:
    """How far one run has read its script; the only thing here that remembers."""

    script: Script
    _turns: dict[str, Iterator[Behaviour | None]] = field(init=False)
    _layers: dict[str, Behaviour] = field(init=False, factory=dict)
    _calls: int = field(init=False, default=0)
    _dice: Dice = field(init=False)

    def __attrs_post_init__(self) -> None:
        script = self.script
        self._dice = Dice(script.faults)
        self._turns = {
            "submit": iter(script.submissions),
            "look": iter(script.looks),
            "list": iter(script.lists),
            "models": (catalog := iter(script.catalog)),
            "model": catalog,
            "upload": iter(script.uploads),
            "put": iter(script.puts),
            "media": iter(script.media),
            "login": iter(script.logins),
            "refresh": iter(script.refreshes),
        }

    def next(self, operation: str) -> Behaviour:
        """The behaviour of this call; each call of a kind takes one."""
        turns = self._turns.get(operation)
        behaviour = (next(turns, None) if turns is not None else None) or SILENT
        fault = self._dice.next(operation)
        if fault is None or behaviour.fault is not None:
            return behaviour
        return evolve(behaviour, fault=fault)

    def connection(self) -> Fault | None:
        """What happens to a connection to the API that was just accepted."""
        return self._dice.next("connect")

    def key_expired(self) -> bool:
        """True from the scripted API call on; to be asked once per call."""
        self._calls += 1
        limit = self.script.unauthorized_from
        return limit is not None and self._calls >= limit

    def model(self, model: str, nature: Behaviour) -> Behaviour:
        """The behaviour of every submission of `model`, `nature` being the lowest layer."""
        behaviour = self._layers.get(model)
        if behaviour is None:
            behaviour = nature
            for name in ("*", model):
                behaviour = self.script.models.get(name, SILENT).over(behaviour)
            self._layers[model] = behaviour
        return behaviour
