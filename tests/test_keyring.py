"""The key of an account: asked for once by one caller for all, and checked."""

import asyncio
from collections.abc import Callable

import pytest

from gmi_video._door import DOORS
from gmi_video._keyring import Keyring
from gmi_video.errors import ConfigurationError
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
