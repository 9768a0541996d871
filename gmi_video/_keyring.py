"""The key of an account: given once, or asked for again when it has died, by one caller for all who wait."""

import asyncio

from gmi_video.errors import ConfigurationError
from gmi_video.settings import KEY_VARIABLES, KeySource, Secret, is_key


class Keyring:
    """Holds the key. A callable source is asked when the first call is made, and after a 401."""

    def __init__(self, source: str | KeySource | None) -> None:
        if source is None:
            names = f"{', '.join(KEY_VARIABLES[:-1])} or {KEY_VARIABLES[-1]}"
            message = (
                "no API key: make one at https://console.gmicloud.ai (organization settings, API keys) and set "
                f"GMI_API_KEY, or pass Settings(api_key=…); looked for {names}"
            )
            raise ConfigurationError(message)
        self._source = source
        self._key = Secret(source) if isinstance(source, str) else None
        self._asked = 0
        self._asking: tuple[asyncio.AbstractEventLoop, asyncio.Lock] | None = None

    async def key(self) -> Secret:
        """The present key."""
        return self._key or await self._ask(None)

    async def renewed(self, dead: Secret) -> Secret | None:
        """A key other than the `dead` one, or None where there is none to be had. Asks once for all callers."""
        if isinstance(self._source, str):
            return None
        fresh = await self._ask(dead)
        return None if fresh == dead else fresh

    async def _ask(self, dead: Secret | None) -> Secret:
        asked = self._asked
        async with self._lock():
            if self._key is not None and (self._key != dead or self._asked != asked):
                return self._key
            assert not isinstance(self._source, str)
            found = await self._source()
            if not isinstance(found, str) or not is_key(found.strip()):
                message = (
                    "the callable given as api_key returned no key: printable ASCII without spaces is wanted"
                )
                raise ConfigurationError(message)
            self._key = Secret(found.strip())
            self._asked += 1
            return self._key

    def _lock(self) -> asyncio.Lock:
        """The lock of the running loop: one that was waited for in a loop that has ended is of no use."""
        loop = asyncio.get_running_loop()
        if self._asking is None or self._asking[0] is not loop:
            self._asking = (loop, asyncio.Lock())
        return self._asking[1]
