"""The key of an account: asked for once by one caller for all, and checked."""

import asyncio
import json
from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import Any

import pytest

from gmi_video._door import DOORS
from gmi_video._keyring import Keyring
from gmi_video.errors import ConfigurationError
from gmi_video.login import lifetime
from gmi_video.settings import KEY_VARIABLES, Secret
from gmi_video.testing import run


class Vault:
    """A callable source that gives one key after the other, after a while."""

    def __init__(self, *keys: str, seconds: float = 1.0) -> None:
        self.keys = list(keys)
        self.seconds = seconds
        self.asked = 0

    async def __call__(self) -> str:
        self.asked += 1
        await asyncio.sleep(self.seconds)
        return self.keys[min(self.asked, len(self.keys)) - 1]


def test_without_a_key_it_says_where_to_get_one_and_what_to_set() -> None:
    """The error names the page for keys and every variable that was looked at."""
    with pytest.raises(ConfigurationError) as caught:
        Keyring(None, wants=DOORS["apikey"].wants)

    assert "https://console.gmicloud.ai" in str(caught.value)
    assert all(name in str(caught.value) for name in KEY_VARIABLES)


def test_a_given_key_is_the_key_and_cannot_be_renewed() -> None:
    """A string that died stays dead."""

    async def main() -> None:
        keyring = Keyring("k-1")
        key = await keyring.key()

        assert (key, repr(key)) == ("k-1", "<secret>")
        assert await keyring.renewed(key) is None

    run(main())


def test_a_callable_is_asked_once_for_all_who_begin_together() -> None:
    """Thirty first calls at once cost one question."""

    async def main() -> None:
        vault = Vault(" k-1\n", "k-2")
        keyring = Keyring(vault)
        keys = await asyncio.gather(*(keyring.key() for _ in range(30)))

        assert set(keys) == {"k-1"}
        assert (vault.asked, type(keys[0])) == (1, Secret)

    run(main())


def test_a_dead_key_is_asked_for_once_by_all_who_saw_it_die() -> None:
    """Also one who comes late with the old key gets the new one without a question."""

    async def main() -> None:
        vault = Vault("k-1", "k-2")
        keyring = Keyring(vault)
        dead = await keyring.key()
        fresh = await asyncio.gather(*(keyring.renewed(dead) for _ in range(30)))
        late = await keyring.renewed(dead)

        assert {*fresh, late, await keyring.key()} == {"k-2"}
        assert vault.asked == 2

    run(main())


def test_a_source_that_has_only_the_dead_key_is_asked_once_for_all() -> None:
    """Where there is no other key, those who waited together hear so together."""

    async def main() -> None:
        vault = Vault("k-1")
        keyring = Keyring(vault)
        dead = await keyring.key()
        fresh = await asyncio.gather(*(keyring.renewed(dead) for _ in range(30)))

        assert set(fresh) == {None}
        assert vault.asked == 2

    run(main())


@pytest.mark.parametrize("bad", ["", "  ", "schlüssel"])
def test_a_source_that_returns_no_key_is_named(bad: str) -> None:
    """What is not a key is refused before it is sent, without being shown."""

    async def main() -> None:
        with pytest.raises(ConfigurationError, match="callable given as api_key") as caught:
            await Keyring(Vault(bad)).key()

        assert "schlüssel" not in str(caught.value)

    run(main())


def test_a_source_that_is_not_async_is_named() -> None:
    """A plain function in place of an async one is a mistake with a sentence, not a TypeError from within."""

    async def main() -> None:
        plain: Any = lambda: "k-1"  # noqa: E731  # what a caller would write
        with pytest.raises(ConfigurationError, match="an async callable is wanted"):
            await Keyring(plain).key()

    run(main())


def test_what_a_source_raises_is_raised_and_the_next_caller_asks_again() -> None:
    """A vault that is down for a moment does not kill the session."""

    async def main() -> None:
        answers: list[Callable[[], str]] = [lambda: str(1 // 0), lambda: "k-1"]

        async def vault() -> str:
            await asyncio.sleep(0)
            return answers.pop(0)()

        keyring = Keyring(vault)
        with pytest.raises(ZeroDivisionError):
            await keyring.key()

        assert await keyring.key() == "k-1"

    run(main())


def test_one_keyring_serves_one_loop_after_the_other() -> None:
    """Callers who waited for each other in a loop that has ended do not stop those of the next."""
    vault = Vault("k-1", "k-2", "k-3")
    keyring = Keyring(vault)

    async def main() -> list[str]:
        first = await asyncio.gather(*(keyring.key() for _ in range(5)))
        renewed = await asyncio.gather(*(keyring.renewed(first[0]) for _ in range(5)))
        return [str(key) for key in renewed]

    assert run(main()) == ["k-2"] * 5
    assert run(main()) == ["k-3"] * 5


def jwt(number: int, *, lasts: float | None = 60) -> str:
    """A token that tells when it was made and when it ends, by a clock of its own."""
    times = {} if lasts is None else {"iat": 1_000, "exp": 1_000 + lasts}
    body = urlsafe_b64encode(json.dumps({"n": number, **times}).encode()).rstrip(b"=").decode()
    return f"eyJh.{body}.c2ln"


def test_a_key_that_tells_its_end_is_renewed_before_it() -> None:
    """Its own two times count, whatever clock they are of; all who come then share one question."""

    async def main() -> None:
        vault = Vault(jwt(1), jwt(2))
        keyring = Keyring(vault)
        first = await keyring.key()
        await asyncio.sleep(50)
        still = await keyring.key()
        await asyncio.sleep(5)
        fresh = await asyncio.gather(*(keyring.key() for _ in range(30)))

        assert (first, still, set(fresh)) == (jwt(1), jwt(1), {jwt(2)})
        assert vault.asked == 2

    run(main())


def test_a_source_that_has_no_newer_key_yet_is_not_asked_at_every_call() -> None:
    """A vault that gives the same key again is asked once before the key's end, and after a 401."""

    async def main() -> None:
        vault = Vault(jwt(1))
        keyring = Keyring(vault)
        for _ in range(20):
            await keyring.key()
            await asyncio.sleep(10)

        assert vault.asked == 2

    run(main())


def test_a_source_that_fails_before_the_end_does_not_cost_the_key_that_lives() -> None:
    """The key is used on, and the source asked again a little later."""

    async def main() -> None:
        answers: list[Callable[[], str]] = [lambda: jwt(1), lambda: str(1 // 0), lambda: jwt(2)]

        async def vault() -> str:
            await asyncio.sleep(0)
            return answers.pop(0)()

        keyring = Keyring(vault)
        await keyring.key()
        await asyncio.sleep(55)

        assert [await keyring.key(), await keyring.key()] == [jwt(1), jwt(1)]
        await asyncio.sleep(6)
        assert await keyring.key() == jwt(2)

    run(main())


def test_what_a_source_raises_is_raised_to_all_who_wait() -> None:
    """A vault that fails under a thousand callers is asked once for them, not a thousand times in a row."""

    async def main() -> None:
        asked = 0

        async def vault() -> str:
            nonlocal asked
            asked += 1
            await asyncio.sleep(1)
            message = "the vault is sealed"
            raise ConfigurationError(message)

        keyring = Keyring(vault)
        found = await asyncio.gather(*(keyring.key() for _ in range(1000)), return_exceptions=True)

        assert {str(error) for error in found} == {"the vault is sealed"}
        assert len({id(error) for error in found}) == 1000
        assert asked == 1

    run(main())


@pytest.mark.parametrize(
    "token", ["k", "a.b.c", "a.bm8.c", "a.W10.c", jwt(1, lasts=None), jwt(1, lasts=-5), jwt(1, lasts=1e12)]
)
def test_a_key_that_does_not_tell_its_end_is_used_until_it_is_refused(token: str) -> None:
    """What is no JWT, or one without sensible times, has no known end."""
    assert lifetime(token) is None


def test_a_question_that_hangs_is_broken_off_by_closing() -> None:
    """Whoever waited is told, and no task is left."""

    async def main() -> None:
        async def vault() -> str:
            await asyncio.Event().wait()
            return "never"

        keyring = Keyring(vault)
        waiting = asyncio.create_task(keyring.key())
        await asyncio.sleep(1)
        await keyring.aclose()
        with pytest.raises(ConfigurationError, match="closed before a key"):
            await waiting

        assert [task.get_name() for task in asyncio.all_tasks() if "gmi_video" in task.get_name()] == []

    run(main())
