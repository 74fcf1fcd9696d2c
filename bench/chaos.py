"""Sixty operations on three replicas of which one after the other is killed, stopped or frozen: what is there then."""

import asyncio
import random
import signal
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import yaml

from bench.replicas import Replicas, replicas
from bench.report import Row
from bench.stage import FLOOR, PATIENCE, ROOT, Bot, Sandbox

OPERATIONS, CHANNELS = 60, 4
BASES = {"berlin": "edgebase", FLOOR: "edgefloor"}
"""By site the connected registry that is deployed before: a cloud registry takes 50 (ACR service limits)."""
TOTAL = OPERATIONS + len(BASES)
SEED = 7
PAUSES = (1.0, 4.0)
"""Seconds between two faults, from and to."""
FROZEN = 14.0
"""Seconds for which a replica is frozen: longer than its lease."""
ENDS = (signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGSTOP)
LIVE = {"planning", "queued", "running"}


async def measure() -> Sequence[Row]:
    """The operations create connected registries in two cloud registries; each has a card and a thread of its own."""
    rng = random.Random(SEED)  # noqa: S311 - for a run that can be repeated
    with TemporaryDirectory(prefix="bench-") as folder:
        access = Path(folder) / "access.yaml"
        policy = yaml.safe_load((ROOT / "config" / "sandbox" / "access.yaml").read_text(encoding="utf-8"))
        access.write_text(yaml.safe_dump({**policy, "approvals": []}), encoding="utf-8")
        sites = Path(folder) / "sites.yaml"
        berlin = yaml.safe_load((ROOT / "config" / "sandbox" / "sites.yaml").read_text(encoding="utf-8"))["sites"][
            "berlin"
        ]
        cluster = {"name": f"{FLOOR}-arc", "kubernetes": {"context": FLOOR}}
        floor = {**berlin, "acr": {"name": f"{FLOOR}acr"}, "cluster": cluster}
        sites.write_text(yaml.safe_dump({"sites": {"berlin": berlin, FLOOR: floor}}), encoding="utf-8")
        settings = {"REGISTRY_BOT_ACCESS": str(access), "REGISTRY_BOT_SITES": str(sites)}
        async with replicas(settings, channels=CHANNELS) as running:
            box = running.box
            for site, base in BASES.items():
                await box.say(f"deploy {base} --site {site}")
                await box.message(f"{base} to {site}: online")
            for number in range(OPERATIONS):
                site = [*BASES][number % len(BASES)]
                await box.say(f"create edge{number:04} --site {site}", channel=f"bench-{number % CHANNELS}")
            faults = await _disturb(running, rng)
            ended = await _states(running.database)
            await _settled(box)
            cards, repeated = await _read(box)
    created = f"{ended['succeeded']} of {TOTAL}"
    return [
        Row("replicas killed, stopped, frozen meanwhile", ", ".join(f"{n} {name}" for name, n in faults.items())),
        Row("operations that succeeded", created, "all", ended == {"succeeded": TOTAL}),
        Row("operations with one card", f"{cards}", f"{TOTAL}", cards == TOTAL),
        Row("lines that a thread has twice", f"{repeated}", "0", repeated == 0),
    ]


async def _disturb(running: Replicas, rng: random.Random) -> Counter[str]:
    """End one replica after the other, and start another in its place, until all operations have ended."""
    faults, frozen = Counter[str](), list[asyncio.Task[None]]()
    while LIVE & (await _states(running.database)).keys():
        await asyncio.sleep(rng.uniform(*PAUSES))
        bot = running.bots.pop(rng.randrange(len(running.bots)))
        number = rng.choice(ENDS)
        bot.process.send_signal(number)
        faults[number.name] += 1
        if number is signal.SIGSTOP:
            frozen.append(asyncio.create_task(_wake(bot)))
        await running.start()
    await asyncio.gather(*frozen)
    return faults


async def _wake(bot: Bot) -> None:
    await asyncio.sleep(FROZEN)
    bot.process.send_signal(signal.SIGCONT)
    await bot.exit_code()


async def _states(database: str) -> dict[str, int]:
    """How many operations there are in each state."""
    async with await psycopg.AsyncConnection.connect(database) as connection:
        cursor = await connection.execute("select state, count(*) from operations group by state")
        return {str(state): int(count) for state, count in await cursor.fetchall()}


async def _settled(box: Sandbox) -> None:
    """Return when every card says how its operation ended."""
    async with asyncio.timeout(PATIENCE):
        while len([card for card in await _cards(box) if card["text"].endswith((": created", ": online"))]) < TOTAL:
            await asyncio.sleep(1)


async def _read(box: Sandbox) -> tuple[int, int]:
    """How many operations have one card, and how many lines a thread has more than once."""
    cards = await _cards(box)
    repeated = 0
    for card in cards:
        query = {"as": "bob", "channel": card["channel"], "thread_ts": card["ts"]}
        thread = (await box.get("slack/messages", **query))["messages"][1:]
        repeated += sum(count - 1 for count in Counter(reply["text"] for reply in thread).values())
    return sum(count == 1 for count in Counter(card["text"] for card in cards).values()), repeated


async def _cards(box: Sandbox) -> list[dict[str, str]]:
    messages = [message for number in range(CHANNELS) for message in await box.messages(f"bench-{number}")]
    return [message for message in messages if "bot_id" in message]
