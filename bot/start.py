"""From settings to a running process, and to its end."""

import asyncio
import errno
import os
import signal
import socket
import ssl
from contextlib import AsyncExitStack

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
from services.model.errors import DomainError, Foreign, Unreachable
from services.operations.engine import Occupied
from services.ports import Configuration
from services.store import open_store, unusable

USUAL_POLL = 5
"""Seconds; the pauses in the steps' declarations are meant with it."""
_TOKENS = {
    "auth.test": ("SLACK_BOT_TOKEN", "install the app again and copy the bot token from OAuth & Permissions"),
    "apps.connections.open": (
        "SLACK_APP_TOKEN",
        "make an app-level token with the scope connections:write (Basic Information, App-Level Tokens)",
    ),
}
"""By the method that tries it: the setting of a token, and where a right one comes from."""
log = structlog.get_logger("bot")


async def run(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT, which end it at any moment; a second one ends it without waiting for anything.

    Raises `Broken` when it can't be started.
    """
    ready, stop = asyncio.Event(), asyncio.Event()
    serving = asyncio.create_task(_serve(settings, ready, stop))

    def signalled() -> None:
        if stop.is_set():
            os._exit(1)
        stop.set()
        if not ready.is_set():
            serving.cancel()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, signalled)
    try:
        await serving
    except asyncio.CancelledError:
        if not stop.is_set():
            raise
        log.info("stopped_while_starting")


async def _serve(settings: Settings, ready: asyncio.Event, stop: asyncio.Event) -> None:
    configuration = FileConfiguration(settings.sites, settings.access)
    async with AsyncExitStack() as stack:
        try:
            await stack.enter_async_context(open_bot(blueprint(settings, configuration)))
        except Exception as error:
            log.debug("not_started", exc_info=error)
            raise Broken([problem(error, settings)]) from error
        ready.set()
        watching = asyncio.create_task(configuration.watch(settings.reload_interval))
        await stop.wait()
        log.info("stopping")
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


async def migrate(settings: Settings) -> None:
    """Bring the database's tables up to date; raises `Broken`."""
    try:
        await (await open_store(database_url(settings))).close()
    except Exception as error:
        raise Broken([problem(error, settings)]) from error


# --- what goes wrong ------------------------------------------------------------------------------------------------


def problem(error: Exception, settings: Settings) -> Problem:  # noqa: PLR0911 - one a kind
    """What kept the bot from starting, in one line that says what to do."""
    match error:
        case Broken():
            return error.problems[0]
        case Occupied():
            return Problem("database", str(error))
        case Foreign(service="slack"):
            return _of_slack(error, settings)
        case DomainError():
            return Problem("start", plain(error))
        case ssl.SSLError():
            return Problem("REGISTRY_BOT_CA_FILE", "is no file of certificates in the PEM format")
    if trouble := unusable(error, address(settings)):
        return Problem("database", str(trouble))
    if isinstance(error, OSError):
        return _of_system(error, settings)
    return Problem("start", f"a fault of the bot ({type(error).__name__}); REGISTRY_BOT_LOG_LEVEL=debug shows where")


def _of_slack(error: Foreign, settings: Settings) -> Problem:
    setting, remedy = _TOKENS.get(error.target, ("start", plain(error)))
    if isinstance(error, Unreachable):
        return Problem("SLACK_API_URL", f"there is no answer from {settings.slack_api_url}: network, proxy, firewall?")
    return Problem(setting, f"Slack does not accept it ({error.code}): {remedy}")


def _of_system(error: OSError, settings: Settings) -> Problem:  # noqa: PLR0911 - one a kind
    where = f"{settings.http_host}:{settings.http_port}"
    match error.errno:
        case errno.EADDRINUSE:
            return Problem("REGISTRY_BOT_HTTP_PORT", f"{where} is taken: choose another port, or 0 for any free one")
        case errno.EADDRNOTAVAIL:
            return Problem("REGISTRY_BOT_HTTP_HOST", f"this machine has no address {settings.http_host}")
        case errno.EMFILE | errno.ENFILE:
            return Problem("start", "there are too few open files: raise the limit (ulimit -n, LimitNOFILE)")
    if isinstance(error, socket.gaierror):
        return Problem("REGISTRY_BOT_HTTP_HOST", f"{settings.http_host} is no address of this machine")
    if error.filename:
        return Problem("start", f"{error.filename}: {error.strerror}")
    if error.errno in (errno.EACCES, errno.EPERM):
        return Problem("REGISTRY_BOT_HTTP_PORT", f"the bot may not listen on {where}: choose a port above 1023")
    return Problem("start", error.strerror or type(error).__name__)


# --- settings to values ---------------------------------------------------------------------------------------------


def blueprint(settings: Settings, configuration: Configuration) -> Blueprint:
    """What the settings say, as the bot is built from it. Raises `Broken` when the data folder can't be made."""
    return Blueprint(
        connection=connection(settings),
        slack_url=settings.slack_api_url,
        azure=azure_options(settings),
        configuration=configuration,
        database_url=database_url(settings),
        ca_file=settings.ca_file,
        http_host=settings.http_host,
        http_port=settings.http_port,
        operator_address=settings.operator_address,
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


def address(settings: Settings) -> str:
    """The given database, or SQLite in the data folder."""
    if settings.database_url:
        return settings.database_url.reveal()
    return f"sqlite:///{settings.data_dir.absolute() / 'bot.db'}"


def database_url(settings: Settings) -> str:
    """The same, with the data folder made, which only the bot's user may read."""
    if not settings.database_url:
        try:
            settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            reason = "it is a file" if isinstance(error, FileExistsError) else error.strerror
            remedy = (
                f"can't be made ({settings.data_dir}: {reason}): make it, and give it to the bot's user ({os.getuid()})"
            )
            raise Broken([Problem("REGISTRY_BOT_DATA_DIR", remedy)]) from None
    return address(settings)
