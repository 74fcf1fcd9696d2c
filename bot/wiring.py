"""Builds the whole bot, top to bottom, and closes it in reverse: the same in production, in tests, in the sandbox."""

import asyncio
import errno
import os
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import structlog

from bot import __version__
from bot.configuration import Configuration as FileConfiguration
from bot.http import HttpServer
from bot.messages.alert_messages import AlertMessages
from bot.messages.board import Board
from bot.messages.operation_cards import OperationCards
from bot.messages.posting import Posting
from bot.messages.summary_posts import SummaryPosts
from bot.metrics import Metrics
from bot.problems import Broken, Problem
from bot.schedule import AsyncIOScheduler, SummaryJobs, add_watching, make_schedule
from bot.settings import Settings
from bot.slack.app import Connection, SlackBot
from bot.slack.client import for_cards, identify, open_client
from bot.slack.people import People
from handlers import COMMANDS
from handlers.dispatch import Door
from handlers.kit.catalogue import Catalogue
from handlers.views.errors import plain
from services.gateways.azure.clouds import cloud
from services.gateways.azure.gateway import Options, open_azure
from services.gateways.azure.identity import Identity
from services.gateways.kubernetes.gateway import KubernetesGateway
from services.model.clock import Clock, MachineClock
from services.model.codec import Codec
from services.model.errors import DomainError
from services.model.message import Channel
from services.operations.engine import Occupied, open_engine
from services.operations.planner import Planner
from services.operations.procedure import Procedures
from services.operations.procedures import PROCEDURES
from services.operations.runner import Runner
from services.operations.service import Operations
from services.ports import Configuration
from services.registry_names import ConnectedNames
from services.services import About, Services
from services.store import Store, UnusableDatabase, open_store
from services.watching.poller import Poller
from services.watching.reports import SummaryReports
from services.watching.subscriptions import Subscriptions
from services.watching.triage import Triage

log = structlog.get_logger("bot")
USUAL_POLL = 5
"""Seconds; the pauses in the steps' declarations are meant with it."""


@dataclass(frozen=True)
class Blueprint:
    """Everything that the bot is built from: plain values, read from settings once."""

    connection: Connection
    slack_url: str
    azure: Options
    configuration: Configuration
    database_url: str
    ca_file: Path | None = None
    http_host: str = "127.0.0.1"
    http_port: int = 0
    pace: float = 1
    """Scales the pauses between questions to Azure; 1 is right for the real one."""
    patience: float = 1
    """Scales how long is waited for what may pass by itself, however often is asked; 1 is right for the real Azure."""
    watch_interval: timedelta = timedelta(seconds=60)
    """Between two polls of a watched cloud registry."""
    kubernetes_deadline: float = 15
    command_deadline: timedelta = timedelta(seconds=25)
    shutdown_deadline: timedelta = timedelta(seconds=20)
    procedures: Procedures = PROCEDURES
    """The kinds of operation that the bot knows."""
    clock: Clock | None = None
    """In place of this machine's clock, and of Azure's for what Azure's timestamps are held against."""
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    """Where the Kubernetes client looks for `KUBECONFIG` and `HOME`."""


@dataclass(frozen=True)
class Bot:
    """A running bot."""

    services: Services
    store: Store
    runner: Runner
    slack: SlackBot
    board: Board
    watching: Poller
    http: HttpServer


@asynccontextmanager
async def open_bot(blueprint: Blueprint) -> AsyncIterator[Bot]:
    """Start everything; what had begun before goes on. Leaving stops intake first, then drains, then closes."""
    async with AsyncExitStack() as stack:
        procedures, local = blueprint.procedures, blueprint.clock or MachineClock()
        store = await open_store(blueprint.database_url, Codec(procedures.values), local)
        stack.push_async_callback(store.close)
        azure = await stack.enter_async_context(await open_azure(blueprint.azure))
        kubernetes = KubernetesGateway(deadline=blueprint.kubernetes_deadline, environment=blueprint.environment)
        stack.push_async_callback(kubernetes.close)
        client = await stack.enter_async_context(
            open_client(blueprint.connection.bot_token, api_url=blueprint.slack_url, ca_file=blueprint.ca_file)
        )
        installation = await identify(client)
        people = People(client, installation)
        clock = blueprint.clock or azure.clock
        board = Board(Posting(for_cards(client)), store, local)
        cards = board.add(OperationCards(store))
        alerts = board.add(AlertMessages(store, blueprint.configuration))
        watching = Poller(
            store,
            blueprint.configuration,
            azure.azure,
            alerts.changed,
            interval=blueprint.watch_interval,
            now=clock.now,
            local=local.now,
        )
        reporting = SummaryReports(store, blueprint.configuration, watching, clock)
        summaries = SummaryPosts(board, store, reporting)
        board.add(summaries)
        incidents = Triage(store, blueprint.configuration, alerts, clock)
        planner = Planner(store, blueprint.configuration, procedures, azure.azure, kubernetes, clock=local)
        runner = Runner(
            store,
            planner,
            procedures,
            azure.azure,
            kubernetes,
            changed=cards.changed,
            clock=local,
            pace=blueprint.pace,
            patience=blueprint.patience,
        )
        engine = await open_engine(blueprint.database_url, runner)
        stack.push_async_callback(engine.close)
        operations = Operations(
            store, blueprint.configuration, procedures, people, engine, changed=cards.changed, clock=local
        )
        schedule = make_schedule(operations, runner, store, engine, local)
        jobs = SummaryJobs(schedule, store, summaries, local)
        services = Services(
            configuration=blueprint.configuration,
            azure=azure.azure,
            kubernetes=kubernetes,
            names=ConnectedNames(azure.azure.connected, blueprint.configuration),
            audit=store.audit,
            deliveries=store.deliveries,
            slack=people,
            about=About(__version__, local.now(), f"DBOS on {store.engine.dialect.name}"),
            operations=operations,
            watches=Subscriptions(store, (watching.rewatch, jobs.changed)),
            incidents=incidents,
            reporting=reporting,
            reports=summaries,
        )
        slack = SlackBot(
            blueprint.connection,
            client,
            installation=installation,
            people=people,
            door=Door(Catalogue(COMMANDS), services, deadline=blueprint.command_deadline),
            deliveries=store.deliveries,
            clock=clock,
            reachable=lambda channel: board.reachable(Channel(installation.team, channel)),
        )

        async def trouble() -> dict[str, str]:
            return {"slack": await slack.trouble(), "messages": board.trouble}

        metrics = Metrics(store, blueprint.configuration, azure.quotas, clock)
        http = HttpServer(blueprint.http_host, blueprint.http_port, slack.routes(), trouble, metrics.page)
        add_watching(schedule, jobs, incidents)
        bot = Bot(services, store, runner, slack, board, watching, http)
        await _start(bot, schedule, jobs, stack, blueprint.shutdown_deadline)
        log.info("ready", team=installation.team_name, http=http.url, mode=blueprint.connection.mode)
        yield bot


async def _start(
    bot: Bot, schedule: AsyncIOScheduler, jobs: SummaryJobs, stack: AsyncExitStack, shutdown_deadline: timedelta
) -> None:
    """First those who show, then those who work, Slack's deliveries last; stopped in reverse by the stack."""
    await bot.board.start()
    stack.push_async_callback(bot.board.stop)
    await bot.services.operations.take_up()
    schedule.start()
    stack.callback(schedule.shutdown, wait=False)
    await jobs.reread()
    await bot.watching.start()
    stack.push_async_callback(bot.watching.stop)
    await bot.http.start()
    stack.push_async_callback(bot.http.stop)
    await bot.slack.start()
    stack.push_async_callback(bot.slack.stop, shutdown_deadline)


async def run(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT. Raises `Broken` when files or database can't be used, or the port is taken."""
    configuration = FileConfiguration(settings.sites, settings.access)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        async with open_bot(blueprint(settings, configuration)), asyncio.TaskGroup() as group:
            watching = group.create_task(configuration.watch(settings.reload_interval))
            await stop.wait()
            log.info("stopping")
            watching.cancel()
    except (UnusableDatabase, Occupied) as error:
        raise Broken([Problem("database", str(error))]) from None
    except DomainError as error:
        raise Broken([Problem("start", plain(error))]) from None
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        told = f"{settings.http_host}:{settings.http_port} is taken: choose another port, or 0 for any free one"
        raise Broken([Problem("REGISTRY_BOT_HTTP_PORT", told)]) from None


async def migrate(settings: Settings) -> None:
    """Bring the database's tables up to date; raises `Broken`."""
    try:
        await (await open_store(database_url(settings))).close()
    except UnusableDatabase as error:
        raise Broken([Problem("database", str(error))]) from None


def blueprint(settings: Settings, configuration: Configuration) -> Blueprint:
    """What the settings say, as the bot is built from it."""
    identity = Identity(
        settings.identity,
        settings.azure_tenant_id,
        settings.azure_client_id,
        settings.azure_client_secret,
        settings.azure_federated_token_file,
    )
    azure = Options(
        cloud=cloud(
            settings.azure_cloud,
            authority=settings.azure_authority_host,
            resource_manager=settings.azure_resource_manager_url,
        ),
        identity=identity,
        ca_file=str(settings.ca_file or ""),
    )
    return Blueprint(
        connection=Connection(
            settings.mode,
            settings.slack_bot_token,
            settings.slack_app_token,
            settings.slack_signing_secret,
            settings.command,
        ),
        slack_url=settings.slack_api_url,
        azure=azure,
        configuration=configuration,
        database_url=database_url(settings),
        ca_file=settings.ca_file,
        http_host=settings.http_host,
        http_port=settings.http_port,
        pace=settings.poll_interval.total_seconds() / USUAL_POLL,
        watch_interval=settings.watch_interval,
        command_deadline=settings.command_deadline,
        shutdown_deadline=settings.shutdown_deadline,
    )


def database_url(settings: Settings) -> str:
    """The given database, or SQLite in the data folder, which only the bot's user may read."""
    if settings.database_url:
        return settings.database_url.reveal()
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    return f"sqlite:///{settings.data_dir.absolute() / 'bot.db'}"
