"""`where` over edges of which some are not as the cloud: exact sets, time, requests, and how they grow.

The sandbox is in this process, so that images can be pushed into its cloud registries. The bot is in one of its own and
starts anew for each question, so that nothing is remembered. A bot's own processor time is told apart from that of the
simulated clusters and Pods, which share its machine.
"""

import asyncio
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import aiohttp
import psutil

from bench import stage
from bench.edges import edge
from bench.report import Row
from bench.running_edges import (
    REPOSITORY,
    agent_of,
    digest_in_the_cloud,
    files,
    populate,
    registries,
    runtime_of,
    settled,
    world,
)
from sandbox.azure.images import sample_image
from sandbox.compose import Sandbox
from sandbox.kube.kubeconfig import DEFAULT_USER

SIZES = (250, 500, 1_000)
ROUNDS = 3
STALE, MOVED, PARTIAL, AWAY = range(3), 3, 4, 5
"""Which of the edges get no news, have another image under the tag, an index in part, and can't be asked."""
PATIENCE = 3_600.0
HOURS = 2
"""From the push to the question: a sync goes by that began long enough after it."""
IMAGE = f"{REPOSITORY}:latest"
SECONDS = 30.0
PATIENT = {"REGISTRY_BOT_COMMAND_DEADLINE": "600"}
"""A bot that waits for all edges, however slow this machine is with their simulators."""


@dataclass(frozen=True)
class Question:
    """One `where`, answered."""

    edges: Mapping[str, str]
    """By state the names of the edges; of those that have the image the number."""
    seconds: float
    processor: float
    """Seconds of processor time that the bot took."""
    simulators: float
    """The same of the sandbox and of its Pods."""
    requests: Mapping[str, int]
    """By the part of the sandbox: `azure`, and `kube` for all clusters together."""
    memory: float
    """MiB that the bot has in memory after the answer."""


async def measure() -> Sequence[Row]:
    """Each size in a world of its own: at the usual limit of a command, and with the time that this machine needs."""
    rows: list[Row] = []
    for count in SIZES:
        rows += await _rows(count)
    return rows


async def _rows(count: int) -> list[Row]:
    usual, patient, troubled = await _questions(count)
    what = f"`where` over {count:,} edges"
    reached = [int(question.edges["there"]) for question in usual]
    slowest = max(question.seconds for question in usual)
    growth = [
        Row(f"{what}: until the answer", _range([question.seconds for question in usual], "s"), f"< {SECONDS:g} s"),
        Row(f"{what}: edges in that answer, the others as not asked", _range(reached, "")),
        Row(f"{what}: until all are asked, however long", _range([question.seconds for question in patient], "s")),
        Row(f"{what}: the bot's processor time then", _range([question.processor for question in patient], "s", 2)),
        Row(f"{what}: the simulators' then", _range([question.simulators for question in patient], "s")),
        Row(
            f"{what}: requests to ARM; to the clusters",
            f"{_range([question.requests['azure'] for question in patient], '')}; "
            f"{_range([question.requests['kube'] for question in patient], '')}",
        ),
        Row(f"{what}: memory of the bot", _range([question.memory for question in patient], "MiB")),
        Row(
            f"{what}: all have the image",
            ", ".join(question.edges["there"] for question in patient),
            f"{count}",
            all(question.edges == {"there": str(count)} for question in patient),
        ),
        Row(
            f"{what}: 3 stale, 1 moved, 1 partial, 1 away",
            "; ".join(f"{state}: {names}" for state, names in sorted(troubled.edges.items())),
            "exact sets",
            troubled.edges == _truth(count),
        ),
    ]
    first, *others = growth
    return [replace(first, met=slowest < SECONDS), *others]


def _range(values: Sequence[float], unit: str, digits: int = 1) -> str:
    """The least and the greatest of several measurements."""
    texts = dict.fromkeys(f"{value:,}" if isinstance(value, int) else f"{value:.{digits}f}" for value in sorted(values))
    ends = list(texts)
    return " to ".join(dict.fromkeys([ends[0], ends[-1]])) + (f" {unit}" if unit else "")


async def _questions(count: int) -> tuple[list[Question], list[Question], Question]:
    """At the usual limit, with time for all, and once more with time after the disturbance."""
    with TemporaryDirectory(prefix="bench-") as name:
        folder, made = Path(name), world(count, 1)
        settings = files(folder, made)
        async with Sandbox(made) as sandbox, aiohttp.ClientSession(sandbox.url) as http:
            box = stage.Sandbox(sandbox.environment(), http, psutil.Process())
            await populate(sandbox, count, PATIENCE)
            usual, patient = [], []
            for number in range(ROUNDS):
                usual.append(await _ask(box, sandbox, folder / f"usual-{number}", settings))
                patient.append(await _ask(box, sandbox, folder / f"patient-{number}", settings | PATIENT))
            await _disturb(box, sandbox, count)
            return usual, patient, await _ask(box, sandbox, folder / "troubled", settings | PATIENT)


def _truth(count: int) -> dict[str, str]:
    return {
        "there": str(count - len(STALE) - 3),
        "due": ", ".join(edge(number) for number in STALE),
        "different": edge(MOVED),
        "incomplete": edge(PARTIAL),
        "could not be asked": edge(AWAY),
    }


async def _disturb(box: stage.Sandbox, sandbox: Sandbox, count: int) -> None:
    """A push that some of the edges do not get, or not all of; at one of them somebody moves the tag back."""
    former = digest_in_the_cloud(sandbox)
    for number in STALE:
        await box.post(f"edge/{edge(number)}", link="down")
    await box.post(f"edge/{edge(PARTIAL)}", scenario="partial-index")
    for registry in registries(sandbox):
        registry.images.put(REPOSITORY, "latest", sample_image(f"{REPOSITORY}:new"), sandbox.clock.now())
    for _ in range(HOURS):
        await box.post("clock", turn=3_600)
        await settled(sandbox, set(range(count)) - set(STALE), digest_in_the_cloud(sandbox), PATIENCE)
    await box.post(f"edge/{edge(AWAY)}", offline=True)
    # With its link up it would fetch the tag of the cloud again with its next sync.
    await box.post(f"edge/{edge(MOVED)}", link="down")
    runtime_of(agent_of(sandbox, MOVED)).content[REPOSITORY]["latest"] = former


async def _ask(box: stage.Sandbox, sandbox: Sandbox, folder: Path, settings: Mapping[str, str]) -> Question:
    """Start a bot, type the question, and wait for its answer."""
    folder.mkdir()
    async with stage.Bot(box, folder, settings) as bot:
        await box.connected()
        earlier = len(await _answers(box))
        _forget(sandbox)
        own, began = psutil.Process(), time.perf_counter()
        before, simulated = _processor(bot.process), _processor(own)
        await box.say(f"where {IMAGE}")
        async with asyncio.timeout(PATIENCE):
            while len(answers := await _answers(box)) == earlier:
                await asyncio.sleep(0.25)
        seconds = time.perf_counter() - began
        question = Question(
            dict(_states_of(answers[-1])),
            seconds,
            _processor(bot.process) - before,
            _processor(own) - simulated,
            await _requests(box, sandbox),
            bot.process.memory_info().rss / 2**20,
        )
    sys.stderr.write(f"{question}\n")
    return question


def _processor(process: psutil.Process) -> float:
    """Seconds of a process and of its children, also of those that still run."""
    children = process.children(recursive=True) if process.pid != psutil.Process().pid else []
    times = [process.cpu_times(), *(child.cpu_times() for child in children)]
    return sum(sum(each[:4]) for each in times)


def _forget(sandbox: Sandbox) -> None:
    assert sandbox.azure  # noqa: S101 - the sandbox has all its parts
    assert sandbox.kube  # noqa: S101 - likewise
    for part in (sandbox.azure, *sandbox.azure.neighbours):
        part.arm.log.clear()


async def _requests(box: stage.Sandbox, sandbox: Sandbox) -> dict[str, int]:
    assert sandbox.azure  # noqa: S101 - the sandbox has all its parts
    client = box.environment["AZURE_CLIENT_ID"]
    arm = Counter(
        request.body()["principal"] for part in (sandbox.azure, *sandbox.azure.neighbours) for request in part.arm.log
    )
    clusters = (await box.get("kube/requests")).values()
    kube = sum(request["user"] == DEFAULT_USER for requests in clusters for request in requests)
    await box.forget("kube/requests")
    return {"azure": arm[client], "kube": kube}


async def _answers(box: stage.Sandbox) -> list[str]:
    """What the bot has answered to the question, as alice reads it."""
    lines = (await box.get("slack/read", **{"as": "alice", "channel": "bench-0"}))["lines"]
    messages = re.split(r"\n(?=Registry)", "\n".join(lines))
    return [message for message in messages if f"`{IMAGE}`" in message or "took longer" in message]


def _states_of(answer: str) -> Iterator[tuple[str, str]]:
    """By state the number of edges that have the image, and the names of all others."""
    yield "there", next(iter(re.findall(r"(\d+) of \d+ edges have", answer)), "0")
    for state in ("due", "late", "different", "incomplete", "could not be asked"):
        if names := re.findall(rf"(?m)^\s*(edge\d+) \|[^|]*\|[^|]*\| {state}", answer):
            yield state, ", ".join(sorted(names))
