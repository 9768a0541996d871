"""What every verb of a session stands on: the engine that views share, and the settings of this view."""

import random
from collections.abc import Iterable

from gmi_video._engine import Engine
from gmi_video._observe import Observer
from gmi_video.ledger import Store
from gmi_video.settings import Settings
from gmi_video.wire import Transport


class View:
    """One way to use an engine. Rooms of verbs derive from it; `Session` joins them."""

    _engine: Engine | None = None
    _owner: "View | None" = None
    _settings: Settings
    _store: Store

    def _begin(
        self,
        settings: Settings,
        transport: Transport | None,
        store: Store,
        rng: random.Random,
        observers: Iterable[Observer],
        *,
        cadence: str | None = None,
    ) -> None:
        self._settings = settings
        self._store = store
        self._engine = Engine(settings, transport, rng, observers, cadence=cadence)

    @property
    def _core(self) -> Engine:
        assert self._engine is not None
        return self._engine
