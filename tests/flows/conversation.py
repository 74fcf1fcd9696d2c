"""A whole bot in a whole sandbox, spoken to as people speak to it; what they read comes back as a transcript."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import aiohttp
from kubernetes.aio import client, config

from bot.collector import Collector
from bot.slack.app import Connection
from bot.wiring import Blueprint, Bot
from sandbox.compose import Sandbox
from sandbox.controlplane.part import RealKubePart
from sandbox.faults import Faults
from sandbox.testing import watches
from services.gateways.azure.clouds import cloud
from services.gateways.azure.gateway import Options
from services.gateways.azure.identity import Identity
from services.model.clock import Clock
from services.model.operation import LIVE, Operation, State
from services.model.secret import Secret
from services.operations.procedure import Procedures
from services.operations.procedures import PROCEDURES
from services.policy.access import Policy
from services.policy.configuration import FixedConfiguration
from services.policy.identities import IdentityMap
from services.policy.sites import Site
from tests.bots_account import kubeconfig_of_the_bot
from tests.flows import canary
from tests.flows.hosting import CURRENT, dump, open_bots
from tests.flows.replicas import Replica, RoundRobin, Time
from tests.log_lines import logged, start_logging
from tests.span_collector import SpanCollector

SUBSCRIPTION = "22222222-2222-4222-8222-222222222222"
PATIENCE = 100.0
"""Seconds after which a conversation that does not settle has failed; nothing waits that long when all is well."""

HOLD = 45
"""Seconds of the sandbox's clock for which a request is held."""

POLICY: dict[str, Any] = {
    "people": {"alice": "U0ALICE", "bob": "U0BOB", "carol": "U0CAROL"},
    "groups": {"edge-approvers": "S0APPROVERS"},
    "grants": [
        {"name": "edge operators", "roles": ["operator"], "to": ["alice", "carol"]},
        {"name": "approvers", "roles": ["approver"], "to": ["edge-approvers"]},
        {"name": "readers", "roles": ["viewer"], "to": ["everyone"]},
    ],
    "approvals": [
        {
            "name": "production needs a second person",
            "environments": ["production"],
            "approvers": ["edge-approvers"],
            "expires_after": "P1D",
            "remind_before": "PT2H",
        }
    ],
}


def site(name: str, **changes: Any) -> Site:
    """A site of the sandbox's world."""
    environment = {"hamburg": "production"}.get(name, "development")
    values: dict[str, Any] = {
        "name": name,
        "environment": environment,
        "subscription": SUBSCRIPTION,
        "resource_group": "edge-rg",
        "acr": {"name": "contosoacr"},
        "cluster": {"name": f"{name}-arc", "kubernetes": {"context": name}},
        "sync": {"repositories": ["hello-world"]},
        "images": {"hello-world": "mcr.microsoft.com/hello-world:latest"},
    }
    return Site.model_validate(values | changes)


@dataclass
class Conversation:
    """What people do in one channel, and what they read there."""

    box: Sandbox
    bot: Bot
    time: Time
    database: Path
    http: aiohttp.ClientSession
    blueprint: Blueprint
    life: AsyncExitStack
    """Of the bot: closed when it stops."""
    proxy: RoundRobin | None
    """Before all replicas, where there are several."""
    others: list[Replica]
    """The replicas beside `bot`."""
    spans: SpanCollector | None = None
    channel: str = "edge-ops"
    people: tuple[str, ...] = ("alice", "bob", "carol", "dave")
    said: list[str] = field(default_factory=list)
    _read: dict[str, str] = field(default_factory=dict)

    # --- what people do ---------------------------------------------------------------------------------------------

    async def say(self, text: str, *, as_: str = "alice", quiet: bool = True) -> dict[str, Any]:
        """Type a command (without `/registry`); returns when the bot has nothing more to do."""
        self.said.append(f"{as_:6} /registry {text}")
        answer = await self.post("say", **{"as": as_, "channel": self.channel, "text": f"/registry {text}"})
        return await self._after(answer, quiet=quiet)

    async def click(self, label: str, *, as_: str, card: str = "", quiet: bool = True) -> dict[str, Any]:
        """Click a button on the newest message that has it (and contains `card`); Slack's own question is answered yes."""
        self.said.append(f"{as_:6} [{label}]")
        messages = [one for one in await self.messages(as_) if label in _buttons(one) and card in str(one["text"])]
        assert messages, f"nothing to click is labelled {label!r}:\n{await self.transcript()}"
        answer = await self.post(
            "click", **{"as": as_, "channel": self.channel, "ts": messages[-1]["ts"], "text": label, "confirm": True}
        )
        return await self._after(answer, quiet=quiet)

    async def fill(self, *, as_: str = "alice", quiet: bool = True, **values: Any) -> dict[str, Any]:
        """Fill in the open form and submit it."""
        shown = ", ".join(f"{key}={value}" for key, value in values.items())
        self.said.append(f"{as_:6} (form) {shown}")
        answer = await self.post("fill", **{"as": as_, "values": values, "submit": True})
        return await self._after(answer, quiet=quiet)

    async def form(self, *, as_: str = "alice") -> dict[str, Any]:
        """The form that is open for somebody."""
        return await self.get("view", **{"as": as_})

    async def restart(self, meanwhile: Callable[[], None] = lambda: None) -> None:
        """Stop the bot, all replicas of it, as a service manager would, and start others on the same database."""
        self.said.append("       (the bot is started again)")
        await self.life.aclose()
        meanwhile()
        self.bot, self.others = await open_bots(self.blueprint, self.proxy, self.database.parent, self.life)

    async def wait_until(self, ahead: timedelta) -> None:
        """Let the calendar go on, and let the bot look at it."""
        self.said.append(f"       ({ahead} later)")
        self.time.ahead += ahead
        await self.bot.services.operations.sweep()
        await self.quiet()

    async def _after(self, answer: dict[str, Any], *, quiet: bool) -> dict[str, Any]:
        if quiet:
            await self.quiet()
        return answer

    # --- what they read ---------------------------------------------------------------------------------------------

    async def quiet(self) -> None:
        """Return when nothing moves any more: no delivery is worked on, no operation runs, everything is shown."""
        await self.until(self._is_quiet)
        await self._note()

    async def until(self, condition: Callable[[], Any]) -> None:
        """Return when the condition holds (a function, or one that returns an awaitable)."""
        async with asyncio.timeout(PATIENCE):
            while True:
                found = condition()
                if asyncio.iscoroutine(found):
                    found = await found
                if found:
                    return
                await asyncio.sleep(0.01)

    async def _is_quiet(self) -> bool:
        if await self._is_busy():
            return False
        live = (LIVE - {"waiting"}) & (await self.bot.store.operations.counts()).keys()
        behind = await self.bot.store.messages.operations_behind()
        return not live and not behind and not await self._is_busy()

    async def _is_busy(self) -> bool:
        """Whether a replica works on a delivery, or has not shown everything that changed."""
        if self.bot.slack.busy or self.bot.board.waiting:
            return True
        return any([await replica.is_busy() for replica in self.others])

    async def operation(self, target: str = "edge01") -> Operation:
        """The newest one on a connected registry."""
        found = await self.bot.store.operations.find(target=target, limit=1)
        return found[0]

    async def running(self, step: str, target: str = "edge01") -> None:
        """Return when this step of the newest operation has begun: on a busy machine it may end before it is seen to run."""
        begun = {"running", "complete"}

        async def has_begun() -> bool:
            found = await self.bot.store.operations.find(target=target, limit=1)
            return step in [one.planned[run.index].kind for one in found for run in one.steps if run.state in begun]

        await self.until(has_begun)

    async def reached(self, state: State, target: str = "edge01") -> None:
        """Return when the newest operation is in this state, and people have read it."""

        async def is_there() -> bool:
            found = await self.bot.store.operations.find(target=target, limit=1)
            behind = self.bot.board.waiting or await self.bot.store.messages.operations_behind()
            return bool(found) and found[0].state == state and not behind

        await self.until(is_there)
        await self._note()

    async def messages(self, person: str = "alice") -> list[dict[str, Any]]:
        """What somebody sees in the channel, oldest first."""
        found = await self.get("messages", **{"as": person, "channel": self.channel})
        return list(found["messages"])

    async def cards(self, person: str = "alice") -> list[dict[str, Any]]:
        """The bot's own messages."""
        return [one for one in await self.messages(person) if "bot_id" in one]

    async def transcript(self) -> str:
        """Everything that was done and read so far, alike in every run."""
        await self._note()
        return alike("\n".join(self.said))

    async def _note(self) -> None:
        """Add what people have not read yet: new messages, and cards that read differently now."""
        for person in self.people:
            for message in await self.cards(person):
                private = message.get("ephemeral", False)
                key = f"{message['ts']}{person if private else ''}"
                buttons = "".join(f" [{label}]" for label in _buttons(message) if label != "Show details")
                text = message["text"].replace("\n", "\n       ")
                line = f"bot    {f'(only {person}) ' if private else ''}{text}{'  ' if buttons else ''}{buttons}"
                if self._read.get(key) != line:
                    self._read[key] = line
                    self.said.append(line)

    async def card(self, person: str = "alice") -> str:
        """The newest message and its thread as plain text, alike in every run."""
        found = await self.get("read", **{"as": person, "channel": self.channel})
        lines: list[str] = found["lines"]
        heads = [index for index, line in enumerate(lines) if line.startswith("Registry")]
        return alike("\n".join(lines[heads[-1] :]))

    async def card_of(self, site: str, person: str = "alice") -> str:
        """The newest card about a site, without its thread."""
        found = await self.get("read", **{"as": person, "channel": self.channel})
        cards = re.split(r"\n(?=Registry)", alike("\n".join(found["lines"])))
        return [card for card in cards if f" {site}*" in card.partition("\n")[0]][-1].partition("\n    Registry")[0]

    async def blockers(self) -> str:
        """What the newest card says stands in the way."""
        lines = (await self.answer()).splitlines()[1:]
        heads = [index for index, line in enumerate(lines) if re.match(r"  (:\w+:|\[)", line)] + [len(lines)]
        sections = ["\n".join(lines[one:next_]) for one, next_ in pairwise(heads)]
        return "\n".join(section for section in sections if section.startswith("  :no_entry:"))

    async def answer(self, person: str = "alice") -> str:
        """The newest message in all its words, without a thread."""
        return (await self.card(person)).partition("\n    Registry: ")[0]

    async def details(self, person: str = "alice") -> str:
        """What `operation show` tells of the newest operation, which an ended card no longer lists."""
        await self.say(f"operation show {(await self.operation()).id}", as_=person)
        return await self.answer(person)

    async def thread(self, person: str = "alice") -> list[str]:
        """What the thread of the newest card says, line by line."""
        card = await self.card(person)
        return [
            line.removeprefix("Registry: ")
            for line in map(str.strip, card.partition("\n    Registry: ")[2].splitlines())
        ]

    async def readiness(self) -> dict[str, str]:
        """What the bot says to whoever asks whether it is ready; empty when it is."""
        async with self.http.get(f"{self.bot.http.url}/readyz") as answer:
            trouble: dict[str, str] = (await answer.json())["trouble"]
            return trouble

    async def sent_files(self, person: str) -> list[dict[str, Any]]:
        """The files that the bot has sent to somebody alone, with their texts."""
        channels = (await self.get("state", **{"as": person}))["channels"]
        [direct] = [channel["id"] for channel in channels if channel["is_im"]]
        answers = (await self.get("messages", **{"as": person, "channel": direct}))["messages"]
        threads = [
            await self.get("messages", **{"as": person, "channel": direct, "thread_ts": answer["ts"]})
            for answer in answers
        ]
        files = [file for thread in threads for reply in thread["messages"] for file in reply.get("files", ())]
        return [file | {"content": (await (await self.http.get(file["url"])).text())} for file in files]

    # --- the sandbox's own doors ------------------------------------------------------------------------------------

    async def post(self, path: str, **body: Any) -> dict[str, Any]:
        """The control API of the sandbox's Slack; a path with a slash at its front is any of the sandbox's."""
        async with self.http.post(path if path.startswith("/") else f"/sandbox/slack/{path}", json=body) as answer:
            found: dict[str, Any] = await answer.json()
            assert answer.ok, found
            return found

    async def get(self, path: str, **query: Any) -> dict[str, Any]:
        """The same, to read."""
        async with self.http.get(path if path.startswith("/") else f"/sandbox/slack/{path}", params=query) as answer:
            found: dict[str, Any] = await answer.json()
            return found

    async def fault(self, part: str, match: str, action: str = "fail", **values: Any) -> None:
        """Put a fault in force."""
        await self.post("/sandbox/faults", part=part, match=match, action=action, **values)

    async def forbid_job(self) -> None:
        """Refuse the next Job in berlin in the words of an API server that lacks a grant for it."""
        words = 'cannot create resource "jobs" in API group "batch" in the namespace "default"'
        message = f'jobs.batch is forbidden: User "registry-bot" {words}'
        await self.fault("kube", "POST /berlin/apis/batch/v1/namespaces/default/jobs", status=403, message=message)

    async def hold(self, line: str) -> None:
        """Let the next ARM request of this kind wait until `let_go`."""
        await self.fault("azure", line, "delay", seconds=HOLD)

    async def let_go(self) -> None:
        """Answer the request that is held."""
        await self.post("/sandbox/clock", turn=HOLD)

    async def edge(self, cluster: str = "berlin", **values: Any) -> None:
        """Do something to an edge."""
        await self.post(f"/sandbox/edge/{cluster}", **values)

    async def mended(self) -> None:
        """Take all faults and scenarios out of force."""
        self.box.faults.clear()
        for cluster in ("berlin", "hamburg"):
            await self.edge(cluster, scenario=None)

    @asynccontextmanager
    async def kubectl(self, context: str = "berlin-admin") -> AsyncIterator[Any]:
        """A cluster, as its administrator sees it."""
        load: Any = config.new_client_from_config
        async with await load(self.box.environment()["KUBECONFIG"], context) as api:
            yield client.CoreV1Api(api)

    async def namespace_terminating(self, name: str = "connected-registry") -> None:
        """Let somebody's finalizer hold a namespace of berlin while it is deleted."""
        async with self.kubectl() as core:
            await core.create_namespace({"metadata": {"name": name}})
            service = {
                "metadata": {"name": "held", "finalizers": ["example.com/hold"]},
                "spec": {"ports": [{"port": 80}]},
            }
            await core.create_namespaced_service(name, service)
            await core.delete_namespace(name)
            await self.namespace_held(core, name)

    @staticmethod
    async def namespace_held(core: Any, name: str = "connected-registry") -> None:
        """Wait until the cluster says that a finalizer holds a namespace."""

        def is_held(namespace: Any) -> bool:
            conditions = namespace.status.conditions or ()
            return namespace.metadata.name == name and any("Finalizers" in one.type for one in conditions)

        await watches.first(core.list_namespace, is_held)

    async def azure_deactivates(self, name: str = "edge01") -> None:
        """Let somebody deactivate the connected registry, as after the loss of an edge."""
        await self.post(f"/sandbox/azure/connectedregistries/contosoacr/{name}", activation="Inactive")

    async def take_address(self, address: str, cluster: str = "berlin") -> None:
        """Let somebody else's Service have an address."""
        await self.post(f"/sandbox/kube/{cluster}/take-address", address=address)

    async def azure(self) -> dict[str, Any]:
        """What Azure has."""
        return await self.get("/sandbox/azure/state")

    async def services(self, cluster: str) -> dict[str, str]:
        """Addresses of a cluster's Services by their names."""
        found = await self.get("/sandbox/kube/state")
        addresses: dict[str, str] = found[cluster]["services"]
        return addresses

    async def placeholders(self, cluster: str = "berlin") -> list[str]:
        """Addresses that the bot holds in a cluster."""
        found = await self.services(cluster)
        return [address for name, address in found.items() if "registry-bot" in name]

    async def leases(self, site: str = "berlin") -> frozenset[str]:
        """Addresses that operations have spoken for."""
        cluster = self.bot.services.sites[site].cluster_ref.id.lower()
        return await self.bot.store.leases.of_others(cluster, "")

    async def calls(self, method: str) -> list[dict[str, Any]]:
        """The bot's calls of a Web API method."""
        found = await self.get("calls", **({"method": method} if method else {}))
        return list(found["calls"])

    async def traces(self) -> dict[str, bytes]:
        """Everything that the bot leaves behind, by its place."""
        calls = str(await self.calls("")).encode()
        traces = {"calls of Slack": calls, "logs": logged(), **canary.files(self.database.parent)}
        if self.blueprint.database_url.startswith("postgresql"):
            traces["database"] = await asyncio.to_thread(dump, self.blueprint.database_url)
        if self.spans is not None:
            traces["spans"] = str(self.spans.spans).encode()
        return traces

    async def called_at(self, method: str) -> list[datetime]:
        """When the bot called a Web API method."""
        return [datetime.fromisoformat(call["at"]) for call in await self.calls(method)]

    async def delete_card(self) -> None:
        """Let an administrator delete the newest message."""
        newest = (await self.messages())[-1]
        token = {"Authorization": f"Bearer {self.box.environment()['SLACK_BOT_TOKEN']}"}
        url = f"{self.box.environment()['SLACK_API_URL']}chat.delete"
        async with self.http.post(url, json={"channel": "C0EDGE", "ts": newest["ts"]}, headers=token) as answer:
            assert (await answer.json())["ok"]

    async def requested(self, line: str) -> None:
        """Return when ARM has answered a request like this."""

        async def is_answered() -> bool:
            return bool(await self.requests(line))

        await self.until(is_answered)

    async def requests(self, line: str) -> list[str]:
        """ARM requests whose line matches."""
        found = await self.get("/sandbox/azure/requests")
        lines = [f"{one['method']} {one['path']}" for one in found["requests"]]
        return [one for one in lines if re.search(line, one, re.IGNORECASE)]


def alike(text: str) -> str:
    """Without what differs from run to run: ids, times, correlations, versions of the moment."""
    found = list(dict.fromkeys(re.findall(r"op-[a-z0-9]{7}", text)))
    for number, operation in enumerate(found, 1):
        text = text.replace(operation, f"op-{number}")
    for pattern, word in ALIKE:
        text = pattern.sub(word, text)
    return text


ALIKE = tuple(
    (re.compile(pattern), word)
    for pattern, word in (
        (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "ID"),
        (r"\b[0-9a-f]{16}\b", "DIGEST"),
        (r"\b\d+ restarts?\b", "N restarts"),
        (r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?( UTC|Z)?", "TIME"),
        (r"\b\d+(\.\d)? s\b", "N s"),
        (r"(?m)(^ +|·  |\| )at once", r"\1N s"),
        (r"\b127\.0\.0\.1:\d+", "HOST"),
    )
)


def _buttons(message: Mapping[str, Any]) -> list[str]:
    found = []
    attached = [block for one in message.get("attachments") or () for block in one.get("blocks") or ()]
    for block in [*(message.get("blocks") or ()), *attached]:
        elements = list(block.get("elements") or ()) + ([block["accessory"]] if "accessory" in block else [])
        found += [one["text"]["text"] for one in elements if one.get("type") == "button"]
    return found


def blueprint(box: Sandbox, database: Path, configuration: FixedConfiguration, clock: Clock) -> Blueprint:
    """The bot's own wiring against a sandbox, as a newcomer's settings would have it."""
    env = box.environment()
    secret = Secret(env["AZURE_CLIENT_SECRET"])
    return Blueprint(
        connection=Connection("socket", Secret(env["SLACK_BOT_TOKEN"]), Secret(env["SLACK_APP_TOKEN"])),
        slack_url=env["SLACK_API_URL"],
        azure=Options(
            cloud=cloud(
                box.world["azure"].get("cloud", "public"),
                authority=env["AZURE_AUTHORITY_HOST"],
                resource_manager=env["AZURE_RESOURCE_MANAGER_URL"],
            ),
            identity=Identity("secret", env["AZURE_TENANT_ID"], env["AZURE_CLIENT_ID"], secret),
            ca_file=env["SSL_CERT_FILE"],
            password_interval=0.02,
        ),
        configuration=configuration,
        database_url=f"sqlite:///{database}",
        pace=0.02,
        patience=0.05,
        commands_per_minute=10_000,
        clock=clock,
        environment={"KUBECONFIG": env["KUBECONFIG"]},
    )


@asynccontextmanager
async def conversation(
    folder: Path,
    *,
    policy: dict[str, Any] | None = None,
    plan_blocks: bool = True,
    clusters: RealKubePart | None = None,
    world: dict[str, Any] | None = None,
    ahead: timedelta = timedelta(),
    procedures: Procedures = PROCEDURES,
    identities: Mapping[str, Identity] | None = None,
    spans: SpanCollector | None = None,
    faults: Faults | None = None,
    **sites: Site,
) -> AsyncIterator[Conversation]:
    """A sandbox with the default world or another, and the bot in it. Without `sites`: berlin, hamburg and lyon.

    In real `clusters` the bot has its own account, with the rights of `deploy/rbac` and no others. `ahead` moves
    everybody's clock from the start: a clock that is turned back later keeps those who sleep asleep for longer.
    """
    known = sites or {name: site(name) for name in ("berlin", "hamburg", "lyon")}
    configuration = FixedConfiguration(known, Policy.model_validate(policy or POLICY))
    hosting, time = CURRENT[0], Time(ahead)
    start_logging()
    async with AsyncExitStack() as stack:
        box = Sandbox(world, plan_blocks=plan_blocks, control_plane=clusters, faults=faults)
        box.clock.turn(ahead.total_seconds())
        await stack.enter_async_context(box)
        http = await stack.enter_async_context(aiohttp.ClientSession(box.url))
        plan = blueprint(box, folder / "bot.db", configuration, time)
        # No lambda: the blueprint goes into the processes of other replicas.
        in_force = IdentityMap(partial(getattr, configuration, "sites"))
        azure = replace(plan.azure, identities=identities or {}, identity_at=in_force)
        database_url = await stack.enter_async_context(hosting.database(folder))
        plan = replace(plan, azure=azure, database_url=database_url, procedures=procedures)
        signing_secret = box.environment()["SLACK_SIGNING_SECRET"]
        plan, proxy = await stack.enter_async_context(hosting.reached_by(http, signing_secret, plan))
        if spans is not None:
            plan = replace(plan, collector=Collector(spans.url))
        if clusters is not None:
            kubeconfig = await kubeconfig_of_the_bot(clusters.kubeconfig, clusters.urls, folder)
            # A real cluster takes seconds to settle: at the other pace what passes by itself would end a step.
            plan = replace(plan, environment={"KUBECONFIG": str(kubeconfig)}, pace=0.1, patience=0.1)
        life = await stack.enter_async_context(AsyncExitStack())
        bot, others = await open_bots(plan, proxy, folder, life)
        talk = Conversation(box, bot, time, folder / "bot.db", http, plan, life, proxy, others, spans)
        yield talk
        assert canary.leaks(box, await talk.traces()) == []
