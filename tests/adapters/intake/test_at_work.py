"""What is at work has a limit of memory; what is beyond it waits in its order and is not lost."""

import asyncio
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from adapters.intake.at_work import Work, cost

MOST = cost(1000)


def scene(sizes: list[int], finish: list[int]) -> tuple[list[int], int, int]:
    """Bring messages of these sizes, finish some early; return the order, the peak, the rest."""

    async def run() -> tuple[list[int], int, int]:
        work, begun, peak = Work(), list[int](), [0]
        futures: dict[int, asyncio.Future[Any]] = {}

        async def bring(number: int, size: int) -> None:
            async def take() -> asyncio.Future[Any]:
                begun.append(number)
                alone = len([one for one in futures.values() if not one.done()]) == 0
                peak[0] = max(peak[0], 0 if alone else work.used)
                futures[number] = asyncio.get_running_loop().create_future()
                return futures[number]

            await work.on(size, MOST, take)

        tasks = [asyncio.create_task(bring(*one)) for one in enumerate(sizes)]
        order = [*finish, *range(len(sizes))]
        for _ in range(3 * len(sizes) + 3):
            await asyncio.sleep(0)
            for number in order:
                if number in futures and not futures[number].done():
                    futures[number].set_result(())
                    break
        await asyncio.gather(*tasks)
        for future in futures.values():
            if not future.done():
                future.set_result(())
        await asyncio.sleep(0)
        return begun, peak[0], work.used + work.waiting

    return asyncio.run(run())


SIZES = st.lists(st.integers(1, 2000), min_size=1, max_size=12)


@given(SIZES, st.lists(st.integers(0, 11), max_size=6))
def test_messages_have_room_in_their_order_and_never_more_than_there_is(
    sizes: list[int], finish: list[int]
) -> None:
    begun, peak, left = scene(sizes, finish)
    assert begun == sorted(begun) == list(range(len(sizes)))
    assert peak <= MOST
    assert left == 0


def test_who_gives_up_waiting_leaves_no_room_taken() -> None:
    async def run() -> tuple[int, int]:
        work, loop = Work(), asyncio.get_running_loop()
        first: asyncio.Future[Any] = loop.create_future()

        async def take() -> asyncio.Future[Any]:
            return first

        async def nothing() -> asyncio.Future[Any]:
            done: asyncio.Future[Any] = loop.create_future()
            done.set_result(())
            return done

        await work.on(1000, MOST, take)
        patient, other = (asyncio.create_task(work.on(900, MOST, nothing)) for _ in range(2))
        await asyncio.sleep(0)
        patient.cancel()
        await asyncio.sleep(0)
        first.set_result(())
        await other
        await asyncio.sleep(0)
        return work.used, work.waiting

    assert asyncio.run(run()) == (0, 0)
