"""`where` over edges that the bot has deployed, of which some are not as the cloud is: exact sets, time and requests.

The sandbox is in this process, so that images can be pushed into its cloud registry; the bot is in one of its own.
"""

import asyncio
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import aiohttp
import psutil

from bench import stage
from bench.edges import carried_out, cloud_registry, edge, files, world
from bench.report import Row
from sandbox.azure.images import sample_image
from sandbox.compose import Sandbox
from sandbox.kube.kubeconfig import DEFAULT_USER

EDGES, CHANNELS = 40, 8
STALE, MOVED, PARTIAL, AWAY = range(3), 3, 4, 5
"""Which of the edges get no news, have another image under the tag, an index in part, and can't be asked."""
PATIENCE = 900.0
MINUTES = 12
"""From the push to the question: longer than a copy may take, so that what another image has is no longer due."""
IMAGE = "hello-world:latest"
SECONDS = 30.0


@dataclass(frozen=True)
class Question:
    """One `where`, answered."""

    edges: dict[str, str]
    """By state the names of the edges; of those that have the image the number."""
    seconds: float
    processor: float
    """Seconds of processor time that the bot took."""
    requests: dict[str, int]
    """By the part of the sandbox: `azure`, and `kube` for all clusters together."""


async def measure() -> Sequence[Row]:
    """While all is well, and while some of the edges are not as the cloud."""
    calm, troubled = await _questions()
    states = "; ".join(f"{state}: {names}" for state, names in sorted(troubled.edges.items()))
    requests = f"{calm.requests['azure']}; {calm.requests['kube']}"
    return [
        Row(f"`where` over {EDGES} edges", f"{calm.seconds:.1f} s", f"< {SECONDS:g} s", calm.seconds < SECONDS),
        Row("requests to ARM; to the clusters", requests),
        Row("processor time of the bot", f"{calm.processor:.2f} s"),
        Row("edges that have the image", calm.edges["there"], str(EDGES), calm.edges == {"there": str(EDGES)}),
        Row("with 3 stale, 1 moved, 1 partial, 1 away", states, "exact sets", troubled.edges == _truth()),
        Row("the same: seconds", f"{troubled.seconds:.1f} s"),
    ]


async def _questions() -> tuple[Question, Question]:
    """The bot deploys connected registry and workload at each edge, and is asked; once more after the disturbance."""
    with TemporaryDirectory(prefix="bench-") as name:
        folder, made = Path(name), world(EDGES, CHANNELS)
        settings = files(folder, made)
        async with Sandbox(made) as sandbox, aiohttp.ClientSession(sandbox.url) as http:
            box = stage.Sandbox(sandbox.environment(), http, psutil.Process())
            async with stage.Bot(box, folder, settings) as bot:
                await box.connected()
                await carried_out(box, bot, EDGES, CHANNELS, "deploy {edge} --site {site}")
                workload = f"workload deploy {{edge}} --site {{site}} --image {IMAGE}"
                await carried_out(box, bot, EDGES, CHANNELS, workload, turns=True)
                calm = await _ask(box, bot)
                await _disturb(box, sandbox)
                return calm, await _ask(box, bot)


def _truth() -> dict[str, str]:
    return {
        "there": str(EDGES - len(STALE) - 3),
        "due": ", ".join(edge(number) for number in STALE),
        "different": edge(MOVED),
        "incomplete": edge(PARTIAL),
        "could not be asked": edge(AWAY),
    }


async def _disturb(box: stage.Sandbox, sandbox: Sandbox) -> None:
    """A push that some of the edges do not get, or not all of; at one of them somebody moves the tag back."""
    assert sandbox.azure  # noqa: S101 - the sandbox has all its parts
    assert sandbox.edge  # noqa: S101 - likewise
    images = sandbox.azure.cloud.registries[cloud_registry(0)].images
    former = images.repositories["hello-world"].tags["latest"]
    for number in STALE:
        await box.post(f"edge/{edge(number)}", link="down")
    await box.post(f"edge/{edge(PARTIAL)}", scenario="partial-index")
    images.put("hello-world", "latest", sample_image("hello-world:new"), sandbox.clock.now())
    for _ in range(MINUTES):
        await box.post("clock", turn=60)
        await asyncio.sleep(1)
    await box.post(f"edge/{edge(AWAY)}", offline=True)
    # With its link up it would fetch the tag of the cloud again within a minute.
    await box.post(f"edge/{edge(MOVED)}", link="down")
    [moved] = sandbox.edge.agent(edge(MOVED))._runtimes.values()  # noqa: SLF001 - nobody can push to a ReadOnly edge
    moved.content["hello-world"]["latest"] = former


async def _ask(box: stage.Sandbox, bot: stage.Bot) -> Question:
    """Type the question, and wait for its answer."""
    asked = len(await _answers(box))
    for part in ("azure", "kube"):
        await box.forget(f"{part}/requests")
    before, began = sum(bot.process.cpu_times()[:2]), time.perf_counter()
    await box.say(f"where {IMAGE}")
    async with asyncio.timeout(PATIENCE):
        while len(answers := await _answers(box)) == asked:
            await asyncio.sleep(0.05)
    seconds, processor = time.perf_counter() - began, sum(bot.process.cpu_times()[:2]) - before
    client = box.environment["AZURE_CLIENT_ID"]
    arm = [request for request in (await box.get("azure/requests"))["requests"] if request["principal"] == client]
    clusters = (await box.get("kube/requests")).values()
    kube = [request for requests in clusters for request in requests if request["user"] == DEFAULT_USER]
    return Question(dict(_states_of(answers[-1])), seconds, processor, {"azure": len(arm), "kube": len(kube)})


async def _answers(box: stage.Sandbox) -> list[str]:
    """What the bot has answered to the question, as alice reads it."""
    lines = (await box.get("slack/read", **{"as": "alice", "channel": "bench-0"}))["lines"]
    messages = re.split(r"\n(?=Registry)", "\n".join(lines))
    return [message for message in messages if re.search(rf"\d+ of \d+ edges have `{IMAGE}`", message)]


def _states_of(answer: str) -> Iterator[tuple[str, str]]:
    """By state the number of edges that have the image, and the names of all others."""
    yield "there", re.findall(r"(\d+) of \d+ edges have", answer)[0]
    for state in ("due", "late", "different", "incomplete", "could not be asked"):
        if names := re.findall(rf"(?m)^\s*(edge\d+) \|[^|]*\|[^|]*\| {state}", answer):
            yield state, ", ".join(sorted(names))
