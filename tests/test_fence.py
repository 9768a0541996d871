"""The fence: who waits while a submission is lost, in what order they go on, and at what price."""

import asyncio

from scene import turns

from gmi_video._fence import ANY, Fence
from gmi_video.testing import run


async def pass_through(fence: Fence, line: str, name: str, through: list[str]) -> None:
    await fence.wait(line)
    through.append(name)
    fence.go_on(line)


def test_only_equal_payloads_wait() -> None:
    """Others of the model go on; those without an echo wait for every lost one."""

    async def main() -> list[str]:
        fence, through = Fence(), list[str]()
        fence.lose("eagle")
        tasks = [
            asyncio.create_task(pass_through(fence, line, line or "any", through))
            for line in ("eagle", "river", ANY)
        ]
        await turns()
        held = list(through)
        fence.find("eagle")
        await asyncio.gather(*tasks)
        return [*held, "|", *through[len(held) :]]

    assert run(main()) == ["river", "|", "eagle", "any"]


def test_they_wait_until_the_last_of_a_payload_is_found() -> None:
    """Two equal ones are lost: the first that is found lets nobody go."""

    async def main() -> tuple[list[str], list[str]]:
        fence, through = Fence(), list[str]()
        fence.lose("eagle")
        fence.lose("eagle")
        task = asyncio.create_task(pass_through(fence, "eagle", "a", through))
        await turns()
        fence.find("eagle")
        await turns()
        held = list(through)
        fence.find("eagle")
        await task
        return held, through

    assert run(main()) == ([], ["a"])


def test_they_go_one_after_the_other_and_who_comes_late_waits_behind() -> None:
    """Nobody overtakes, and each wakes only the next."""

    async def main() -> list[str]:
        fence, through = Fence(), list[str]()
        fence.lose("eagle")
        tasks = [asyncio.create_task(pass_through(fence, "eagle", name, through)) for name in "abc"]
        await turns()
        fence.find("eagle")
        tasks.append(asyncio.create_task(pass_through(fence, "eagle", "d", through)))
        await asyncio.gather(*tasks)
        return through

    assert run(main()) == ["a", "b", "c", "d"]


def test_a_loss_stops_those_who_were_not_let_go_yet() -> None:
    """The line is held again from where it stood."""

    async def main() -> tuple[list[str], list[str]]:
        fence, through = Fence(), list[str]()
        fence.lose("eagle")
        tasks = [asyncio.create_task(fence.wait("eagle")) for _ in range(3)]
        await turns()
        fence.find("eagle")
        fence.lose("eagle")
        await turns()
        fence.go_on("eagle")
        await turns()
        held = [str(task.done()) for task in tasks]
        fence.find("eagle")
        fence.go_on("eagle")
        await asyncio.gather(*tasks)
        return held, through

    assert run(main())[0] == ["True", "False", "False"]


def test_a_cancelled_one_breaks_no_chain() -> None:
    """Cancelled in the line, or just when it was let go: the next one goes on, and nothing is left behind."""

    async def main() -> tuple[list[str], bool]:
        fence, through = Fence(), list[str]()
        fence.lose("eagle")
        tasks = {name: asyncio.create_task(pass_through(fence, "eagle", name, through)) for name in "abcd"}
        await turns()
        tasks["b"].cancel()
        await turns()
        fence.find("eagle")  # lets a go, which is cancelled before it runs
        tasks["a"].cancel()
        await asyncio.wait(tasks.values())
        return through, bool(fence._lines)

    assert run(main()) == (["c", "d"], False)


def test_the_last_of_a_line_may_be_cancelled() -> None:
    """The line is gone with it, and nobody waits behind a ghost."""

    async def main() -> list[str]:
        fence, through = Fence(), list[str]()
        fence.lose("eagle")
        task = asyncio.create_task(pass_through(fence, "eagle", "a", through))
        await turns()
        task.cancel()
        await turns()
        fence.find("eagle")
        await pass_through(fence, "eagle", "b", through)
        return through

    assert run(main()) == ["b"]


def test_a_thousand_equal_ones_cost_a_wake_up_each() -> None:
    """Each loss stops the line and each find starts it; nobody is woken in vain."""

    async def main() -> int:
        fence, woken = Fence(), 0

        async def one() -> None:
            nonlocal woken
            await fence.wait("eagle")
            woken += 1
            if woken % 100 == 0:
                fence.lose("eagle")
                asyncio.get_running_loop().call_later(2, fence.find, "eagle")
            fence.go_on("eagle")

        fence.lose("eagle")
        asyncio.get_running_loop().call_later(2, fence.find, "eagle")
        await asyncio.gather(*(one() for _ in range(1000)))
        return woken

    assert run(main()) == 1000
