"""From settings to a running process, and to its end."""

import asyncio
import errno
import signal

import structlog

from bot.configuration import Configuration as FileConfiguration
from bot.problems import Broken, Problem
from bot.settings import Settings
from bot.slack.app import Connection
from bot.wiring import Blueprint, open_bot
from handlers.views.errors import plain
from services.gateways.azure.clouds import cloud
from services.gateways.azure.gateway import Options
from services.gateways.azure.identity import Identity
from services.model.errors import DomainError
from services.operations.engine import Occupied
from services.ports import Configuration
from services.store import UnusableDatabase, open_store

USUAL_POLL = 5
"""Seconds; the pauses in the steps' declarations are meant with it."""
log = structlog.get_logger("bot")


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
        remedy = f"{settings.http_host}:{settings.http_port} is taken: choose another port, or 0 for any free one"
        raise Broken([Problem("REGISTRY_BOT_HTTP_PORT", remedy)]) from None


async def migrate(settings: Settings) -> None:
    """Bring the database's tables up to date; raises `Broken`."""
    try:
        await (await open_store(database_url(settings))).close()
    except UnusableDatabase as error:
        raise Broken([Problem("database", str(error))]) from None


def blueprint(settings: Settings, configuration: Configuration) -> Blueprint:
    """What the settings say, as the bot is built from it."""
    return Blueprint(
        connection=connection(settings),
        slack_url=settings.slack_api_url,
        azure=azure_options(settings),
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


def connection(settings: Settings) -> Connection:
    """How Slack reaches the bot."""
    return Connection(
        settings.mode,
        settings.slack_bot_token,
        settings.slack_app_token,
        settings.slack_signing_secret,
        settings.command,
    )


def azure_options(settings: Settings) -> Options:
    """How the bot reaches Azure, and as whom."""
    return Options(
        cloud=cloud(
            settings.azure_cloud,
            authority=settings.azure_authority_host,
            resource_manager=settings.azure_resource_manager_url,
        ),
        identity=Identity(
            settings.identity,
            settings.azure_tenant_id,
            settings.azure_client_id,
            settings.azure_client_secret,
            settings.azure_federated_token_file,
        ),
        ca_file=str(settings.ca_file or ""),
        api_versions=dict(pair.split("=") for pair in settings.azure_api_versions.split(",") if pair),
    )


def database_url(settings: Settings) -> str:
    """The given database, or SQLite in the data folder, which only the bot's user may read."""
    if settings.database_url:
        return settings.database_url.reveal()
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    return f"sqlite:///{settings.data_dir.absolute() / 'bot.db'}"
