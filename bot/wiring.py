"""Builds the whole bot and closes it in reverse order: the same way in production, in tests and in the sandbox."""

import os
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import NoReturn, Self

import structlog

from bot import __version__
from bot.collector import Collector
from bot.http import HttpServer
from bot.messages.alert_messages import AlertMessages
from bot.messages.board import Board
from bot.messages.operation_cards import OperationCards
from bot.messages.posting import Posting
from bot.messages.summary_posts import SummaryPosts
from bot.metrics import Metrics, Sources
from bot.retention import OldRows
from bot.schedule import Schedule
from bot.slack.app import Connection, SlackBot
from bot.slack.client import Installation, SlackClient, for_cards, identify, open_client, open_socket
from bot.slack.people import People
from handlers import COMMANDS
from handlers.dispatch import Door
from handlers.kit.catalogue import Catalogue
from services import ports
from services.gateways.azure.clouds import PUBLIC
from services.gateways.azure.gateway import Connection as AzureConnection
from services.gateways.azure.gateway import Options, open_azure
from services.gateways.kubernetes.gateway import KubernetesGateway
from services.model.about import About, Setting
from services.model.clock import Clock, MachineClock
from services.model.codec import Codec
from services.model.message import Channel
from services.model.retention import Retention
from services.operations.engine import Engine
from services.operations.planner import Planner
from services.operations.procedure import Procedures
from services.operations.procedures import PROCEDURES
from services.operations.runner import Runner
from services.operations.service import Operations, Parts
from services.operations.takeover import TakeOver
from services.operations.traced import TracedWork
from services.placements import Placements
from services.ports import Configuration
from services.registry_names import ConnectedNames
from services.services import Services
from services.store import Store, open_store
from services.tally import Tally
from services.traces import OFF, Traces
from services.watching.poller import Poller
from services.watching.reports import SummaryReports
from services.watching.subscriptions import Subscriptions
from services.watching.triage import Triage

LEASE_LOST = 3
"""Exit code of a process whose work another one has taken over; its supervisor starts it again."""
log = structlog.get_logger("bot")


@dataclass(frozen=True)
class Blueprint:
    """The plain values that the bot is built from, read from the settings once."""

    connection: Connection
    slack_url: str
    azure: Options
    configuration: Configuration
    database_url: str
    procedures: Procedures = PROCEDURES
    """The kinds of operation that the bot knows."""
    ca_file: Path | None = None
    collector: Collector | None = None
    """Where traces go; None where nobody collects them."""
    http_host: str = "127.0.0.1"
    http_port: int = 0
    operator_address: tuple[str, int] | None = None
    """For health, readiness and metrics, when they are separate from Slack's route."""
    pace: float = 1
    """Scales the pauses between two polls of Azure; 1 is right for the real Azure."""
    patience: float = 1
    """Scales how long steps wait for a condition that may clear up by itself; 1 is right for the real Azure."""
    watch_interval: timedelta = timedelta(seconds=60)
    """Between two polls of a watched cloud registry."""
    kubernetes_deadline: float = 15
    commands_per_minute: int = 60
    """Of one person, in all replicas together."""
    command_deadline: timedelta = timedelta(seconds=25)
    shutdown_deadline: timedelta = timedelta(seconds=20)
    retention: Retention = field(default_factory=Retention)
    clock: Clock | None = None
    """Replaces this machine's clock, and Azure's clock that Azure's timestamps are compared with."""
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    """Where the Kubernetes client looks for `KUBECONFIG` and `HOME`, and imports for the passwords of registries."""
    shared_settings: tuple[Setting, ...] = ()
    """The settings that decide what every site has in common; `site show` names them."""


@dataclass(frozen=True)
class Bot:
    """The parts of a bot."""

    services: Services
    store: Store
    runner: Runner
    slack: SlackBot
    board: Board
    schedule: Schedule
    watching: Poller
    http: HttpServer
    old_rows: OldRows

    async def start(self, stack: AsyncExitStack, shutdown_deadline: timedelta) -> None:
        """Start what shows, then what works, and Slack's deliveries last; the stack stops them in reverse order."""
        await self.board.start()
        stack.push_async_callback(self.board.stop)
        await self.services.operations.take_up()
        await self.schedule.start()
        stack.callback(self.schedule.stop)
        await self.watching.start()
        stack.push_async_callback(self.watching.stop)
        await self.http.start()
        stack.push_async_callback(self.http.stop)
        # Pushed first, because a start that is interrupted leaves a socket that has to be closed.
        stack.push_async_callback(self.slack.stop, shutdown_deadline)
        await self.slack.start()


@dataclass(frozen=True)
class _Outside:
    """The connections to the outside, and the two clocks."""

    store: Store
    azure: AzureConnection
    kubernetes: KubernetesGateway
    client: SlackClient
    calls: Tally
    """Of Slack's Web API, by method and status."""
    installation: Installation
    people: People
    clock: Clock
    """This machine's: for deadlines, approvals and leases."""
    traces: Traces
    azure_clock: Clock
    """For everything that is compared with Azure's timestamps: sync, contact, health."""

    @classmethod
    async def open(cls, blueprint: Blueprint, stack: AsyncExitStack) -> Self:
        """Open the database, Azure, the clusters and Slack; of these only Slack is called."""
        clock = blueprint.clock or MachineClock()
        store = await open_store(blueprint.database_url, Codec(blueprint.procedures.values), clock)
        stack.push_async_callback(store.close)
        traces = OFF
        if blueprint.collector is not None:
            from bot.traces import open_traces  # noqa: PLC0415 - its packages are an extra

            traces = await stack.enter_async_context(open_traces(blueprint.collector, instance=store.lease.executor))
        azure = await stack.enter_async_context(await open_azure(blueprint.azure, store.lease, traces))
        kubernetes = KubernetesGateway(
            deadline=blueprint.kubernetes_deadline,
            environment=blueprint.environment,
            fence=store.lease,
            traces=traces,
        )
        stack.push_async_callback(kubernetes.close)
        calls = Tally()
        client = await stack.enter_async_context(
            open_client(
                blueprint.connection.bot_token,
                api_url=blueprint.slack_url,
                ca_file=blueprint.ca_file,
                calls=calls,
                traces=traces,
            )
        )
        installation = await identify(client)
        if blueprint.connection.app_token is not None and blueprint.connection.mode == "socket":
            # Tried before unfinished work resumes, so that a wrong token ends the process at once.
            await open_socket(client, blueprint.connection.app_token)
        people = People(client, installation)
        azure_clock = blueprint.clock or azure.clock
        return cls(store, azure, kubernetes, client, calls, installation, people, clock, traces, azure_clock)


@dataclass(frozen=True)
class _Work:
    """The parts that change the world."""

    runner: Runner
    engine: Engine
    operations: Operations

    @classmethod
    async def open(cls, blueprint: Blueprint, outside: _Outside, board: Board, stack: AsyncExitStack) -> Self:
        """Open the engine, which at once resumes what was running when the last process ended."""
        store, procedures, clock = outside.store, blueprint.procedures, outside.clock
        azure, kubernetes = outside.azure.azure, outside.kubernetes
        cards = board.add(OperationCards(store))
        traces = outside.traces

        def decided(operation: str) -> None:
            traces.link(operation)
            cards.changed(operation)

        engine = Engine(store.lease)
        planner = Planner(
            store,
            blueprint.configuration,
            procedures,
            azure,
            kubernetes,
            clock=clock,
            environment=blueprint.environment,
        )
        operations = Operations(
            store,
            blueprint.configuration,
            procedures,
            planner,
            engine,
            slack=outside.people,
            changed=decided,
            clock=clock,
        )
        runner = Runner(
            store,
            planner,
            procedures,
            azure,
            kubernetes,
            children=Parts(operations, pause=blueprint.pace),
            changed=cards.changed,
            progressed=cards.progressed,
            clock=clock,
            pace=blueprint.pace,
            patience=blueprint.patience,
            environment=blueprint.environment,
        )
        work = cls(runner, engine, operations)
        played = TracedWork(runner, store, traces) if traces.is_on else runner
        if store.lease.is_shared:
            await work._share(blueprint, store, board, played, stack)
        else:
            await engine.open(blueprint.database_url, played)
            stack.push_async_callback(engine.close)
            # No other process is on this database, so whoever holds a message's lease has died.
            await store.messages.release_all()
        return work

    async def _share(
        self, blueprint: Blueprint, store: Store, board: Board, played: ports.Work, stack: AsyncExitStack
    ) -> None:
        """Open the engine beside those of other processes; closing hands its work over to them."""

        async def follow(executors: Collection[str]) -> None:
            await store.messages.release_all(executors)
            await self.operations.take_up()
            await board.sweep_recent()

        def end_process() -> NoReturn:
            """End without a clean-up, which would write: another process has the work of this one."""
            log.critical(
                "lease_lost",
                reason="another process has taken over the work of this one, which did not renew its lease",
            )
            os._exit(LEASE_LOST)

        take_over = TakeOver(store.lease, self.engine, follow)
        stack.push_async_callback(store.lease.end)
        await store.lease.begin(end_process)
        await self.engine.open(blueprint.database_url, played, executor=store.lease.executor)
        stack.push_async_callback(self.engine.close)
        stack.push_async_callback(take_over.stop)
        take_over.start()


@dataclass(frozen=True)
class _Watching:
    """The parts that observe the world."""

    poller: Poller
    reports: SummaryReports
    triage: Triage
    summaries: SummaryPosts

    @classmethod
    def over(cls, blueprint: Blueprint, outside: _Outside, board: Board) -> Self:
        """Put incidents and summaries on the board. The poller is not started yet."""
        store, configuration, clock = outside.store, blueprint.configuration, outside.azure_clock
        alerts = board.add(AlertMessages(store, configuration))
        poller = Poller(
            store,
            configuration,
            outside.azure.azure,
            alerts.changed,
            interval=blueprint.watch_interval,
            now=clock.now,
            local=outside.clock.now,
            leads=lambda: store.lease.is_leader,
        )
        reports = SummaryReports(store, configuration, poller, clock)
        summaries = SummaryPosts(board, store, reports)
        board.add(summaries)
        return cls(poller, reports, Triage(store, configuration, alerts, clock), summaries)


@asynccontextmanager
async def open_bot(blueprint: Blueprint) -> AsyncIterator[Bot]:
    """Start everything and resume unfinished work. On exit, stop the intake, drain, then close."""
    async with AsyncExitStack() as stack:
        outside = await _Outside.open(blueprint, stack)
        lease = outside.store.lease

        async def is_overheard(channel: str) -> bool:
            is_forbidden = not blueprint.configuration.policy.shared_channels
            return is_forbidden and (await outside.people.place(channel)).is_shared

        posting = Posting(for_cards(outside.client), lease, lambda: len(lease.replicas), is_overheard)
        board = Board(posting, outside.store, outside.clock, outside.people.locale, traces=outside.traces)
        work = await _Work.open(blueprint, outside, board, stack)
        watching = _Watching.over(blueprint, outside, board)
        schedule = Schedule(outside.store, outside.clock, watching.summaries)
        old_rows = OldRows(blueprint.retention, outside.store, work.engine, outside.azure_clock)
        schedule.add(work.operations, work.runner, work.engine, watching.triage, old_rows)
        services = _services(blueprint, outside, work, watching, schedule)
        slack = SlackBot(
            blueprint.connection,
            outside.client,
            installation=outside.installation,
            people=outside.people,
            door=Door(Catalogue(COMMANDS), services, deadline=blueprint.command_deadline),
            deliveries=outside.store.deliveries,
            clock=outside.azure_clock,
            per_minute=blueprint.commands_per_minute,
            replicas=lambda: len(lease.replicas),
            traces=outside.traces,
            reachable=lambda channel: board.reachable(Channel(outside.installation.team, channel)),
        )

        async def trouble() -> dict[str, str]:
            return {"slack": await slack.trouble(), "messages": board.trouble, "database": outside.store.trouble}

        sources = Sources(
            quotas=outside.azure.quotas,
            steps=work.runner.steps,
            arm=outside.azure.requests,
            kubernetes=outside.kubernetes.requests,
            slack=outside.calls,
            board=lambda: (board.waiting, board.lag),
            trouble=trouble,
            version=__version__,
        )
        metrics = Metrics(outside.store, blueprint.configuration, sources, outside.azure_clock)
        http = HttpServer(
            blueprint.http_host,
            blueprint.http_port,
            slack.routes(),
            trouble,
            metrics.page,
            pages=blueprint.operator_address,
        )
        bot = Bot(services, outside.store, work.runner, slack, board, schedule, watching.poller, http, old_rows)
        await bot.start(stack, blueprint.shutdown_deadline)
        log.info("ready", team=outside.installation.team_name, http=http.url, mode=blueprint.connection.mode)
        yield bot


def _services(
    blueprint: Blueprint, outside: _Outside, work: _Work, watching: _Watching, schedule: Schedule
) -> Services:
    store = outside.store
    return Services(
        configuration=blueprint.configuration,
        azure=outside.azure.azure,
        kubernetes=outside.kubernetes,
        names=ConnectedNames(outside.azure.azure.connected, blueprint.configuration),
        placements=Placements(outside.azure.azure.extensions),
        audit=store.audit,
        deliveries=store.deliveries,
        slack=outside.people,
        about=About(
            __version__,
            outside.clock.now(),
            f"DBOS on {store.engine.dialect.name}",
            blueprint.shared_settings,
            "" if blueprint.azure.cloud.name == PUBLIC.name else blueprint.azure.cloud.cli_name,
        ),
        operations=work.operations,
        watches=Subscriptions(store, (watching.poller.rewatch, schedule.watches_changed)),
        incidents=watching.triage,
        reporting=watching.reports,
        reports=watching.summaries,
        traces=outside.traces,
        environment=blueprint.environment,
    )
