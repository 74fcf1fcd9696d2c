"""The end of the durable engine, for those who share its process.

Not among the unit tests: under coverage each thread has a greenlet, and greenlet 3.5 may hang when many threads end.
"""

import asyncio
import threading
from pathlib import Path

from services.operations.engine import THREADS, open_engine
from tests.unit.engine.worker import Diary


async def test_what_others_do_in_threads_meanwhile_ends_undisturbed(tmp_path: Path) -> None:
    engine = await open_engine(f"sqlite:///{tmp_path / 'bot.db'}", Diary(tmp_path / "log", ""))
    await engine.standings([("op-one", 1)])  # from here on the loop's threads are the engine's
    go_on = threading.Event()
    waits = [asyncio.create_task(asyncio.to_thread(go_on.wait)) for _ in range(2 * THREADS)]
    await asyncio.sleep(0)
    asyncio.get_running_loop().call_later(1.0, go_on.set)
    await engine.close()

    assert all(await asyncio.gather(*waits))
