"""Turns settings into a running process and ends it."""

import asyncio
import errno
import os
import resource
import signal
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import AsyncExitStack

import structlog

from bot import identities
from bot.collector import Collector, is_installed
from bot.configuration import FileConfiguration
from bot.problems import Broken, Problem
from bot.settings import Settings, env_name, environment
from bot.slack.app import Connection
from bot.wiring import Blueprint, open_bot
from handlers.views.errors import plain
from services.gateways.azure.clouds import cloud
from services.gateways.azure.gateway import Options
from services.gateways.azure.identity import Identity
from services.model.about import Setting
from services.model.errors import DomainError, Foreign, Unreachable
from services.model.retention import Retention
from services.operations.occupation import Occupied
from services.policy.identities import IdentityMap
from services.ports import Configuration
from services.store import open_store, unusable

USUAL_POLL = 5
"""Seconds; the poll interval for which the pauses in the steps' declarations are chosen."""
FILES = 16_384
"""Open files: more than a fleet needs, and few enough that nothing walks through millions of them."""
_TOKENS = {
    "auth.test": ("SLACK_BOT_TOKEN", "reinstall the app and copy the bot token from OAuth & Permissions"),
    "apps.connections.open": (
        "SLACK_APP_TOKEN",
        "create an app-level token with the scope connections:write (Basic Information, App-Level Tokens)",
    ),
}
"""By the method that tries it: a token's setting, and how to get a valid one."""
log = structlog.get_logger("bot")


def allow_connections() -> None:
    """Open as many files as the system allows this user, up to `FILES`: a question to a fleet connects to each cluster.

    Many systems begin with 1,024, which a thousand edges would use up.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = FILES if hard == resource.RLIM_INFINITY else min(hard, FILES)
    if soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


async def run(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT, also while starting; a second signal ends the process at once.

    Raises `Broken` when the bot can't start.
    """
    allow_connections()
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
    names = identities.load(settings.identities, environment())
    configuration = FileConfiguration(settings.sites, settings.access, identities=names.keys())
    async with AsyncExitStack() as stack:
        try:
            await stack.enter_async_context(open_bot(blueprint(settings, configuration, names)))
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
    """Bring the database tables up to date; raises `Broken`."""
    try:
        await (await open_store(database_url(settings))).close()
    except Exception as error:
        raise Broken([problem(error, settings)]) from error


# --- problems -------------------------------------------------------------------------------------------------------


def problem(error: Exception, settings: Settings) -> Problem:  # noqa: PLR0911 - one per error
    """What kept the bot from starting, in one line that also says what to do."""
    match error:
        case Broken():
            return error.problems[0]
        case Occupied():
            return Problem("database", str(error))
        case Unreachable(service="slack"):
            problem_text = f"{settings.slack_api_url} does not answer: check network, proxy and firewall"
            return Problem("SLACK_API_URL", problem_text)
        case Foreign(service="slack"):
            setting, remedy = _TOKENS.get(error.target, ("start", plain(error)))
            return Problem(setting, f"Slack rejects it ({error.code}): {remedy}")
        case DomainError():
            return Problem("start", plain(error))
        case ssl.SSLError():
            return Problem("REGISTRY_BOT_CA_FILE", "does not contain certificates in PEM format")
    if trouble := unusable(error, address(settings)):
        return Problem("database", str(trouble))
    if isinstance(error, OSError):
        return _system_problem(error, settings)
    kind = type(error).__name__
    return Problem("start", f"internal error ({kind}); REGISTRY_BOT_LOG_LEVEL=debug logs the traceback")


def _system_problem(error: OSError, settings: Settings) -> Problem:  # noqa: PLR0911 - one per error
    where = f"{settings.http_host}:{settings.http_port}"
    match error.errno:
        case errno.EADDRINUSE:
            return Problem("REGISTRY_BOT_HTTP_PORT", f"{where} is in use: choose another port, or 0 for any free one")
        case errno.EADDRNOTAVAIL:
            return Problem("REGISTRY_BOT_HTTP_HOST", f"this machine has no address {settings.http_host}")
        case errno.EMFILE | errno.ENFILE:
            return Problem("start", "too many open files: raise the limit (ulimit -n, LimitNOFILE)")
    if isinstance(error, socket.gaierror):
        return Problem("REGISTRY_BOT_HTTP_HOST", f"{settings.http_host} is not an address of this machine")
    if error.filename:
        return Problem("start", f"{error.filename}: {error.strerror}")
    if error.errno in (errno.EACCES, errno.EPERM):
        return Problem("REGISTRY_BOT_HTTP_PORT", f"the bot may not listen on {where}: choose a port above 1023")
    return Problem("start", error.strerror or type(error).__name__)


# --- settings to values ---------------------------------------------------------------------------------------------


def blueprint(settings: Settings, configuration: Configuration, names: Mapping[str, Identity]) -> Blueprint:
    """The settings as the values that the bot is built from. Raises `Broken` when the data folder can't be created."""
    options = azure_options(settings, names, IdentityMap(lambda: configuration.sites))
    return Blueprint(
        connection=connection(settings),
        slack_url=settings.slack_api_url,
        azure=options,
        configuration=configuration,
        environment=environment(),
        database_url=database_url(settings),
        ca_file=settings.ca_file,
        collector=collector(settings),
        http_host=settings.http_host,
        http_port=settings.http_port,
        operator_address=settings.operator_address,
        pace=settings.poll_interval.total_seconds() / USUAL_POLL,
        watch_interval=settings.watch_interval,
        commands_per_minute=settings.commands_per_minute,
        command_deadline=settings.command_deadline,
        shutdown_deadline=settings.shutdown_deadline,
        retention=Retention(
            operations=settings.keep_operations,
            deliveries=settings.keep_deliveries,
            transitions=settings.keep_transitions,
            checkpoints=settings.keep_checkpoints,
            audit=settings.keep_audit,
            archive=settings.audit_archive,
        ),
        shared_settings=tuple(_shared_settings(settings)),
    )


def _shared_settings(settings: Settings) -> Iterator[Setting]:
    """What decides how every site's Azure is asked, and where their kubeconfig is."""
    for field in ("azure_cloud", "identity", "azure_api_versions"):
        yield Setting(env_name(field), getattr(settings, field), field not in settings.model_fields_set)
    kubeconfig = environment().get("KUBECONFIG", "")
    yield Setting("KUBECONFIG", kubeconfig, not kubeconfig)


def connection(settings: Settings) -> Connection:
    """How Slack reaches the bot."""
    return Connection(
        settings.mode,
        settings.slack_bot_token,
        settings.slack_app_token,
        settings.slack_signing_secret,
        settings.command,
    )


def azure_options(settings: Settings, names: Mapping[str, Identity], identity_at: Callable[[str], str]) -> Options:
    """How the bot reaches Azure, and with which identities."""
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
        identities=names,
        identity_at=identity_at,
        traceparent=settings.traces_to_azure,
        api_versions=dict(pair.split("=") for pair in settings.azure_api_versions.split(",") if pair),
    )


def collector(settings: Settings) -> Collector | None:
    """Where traces go; None where nobody collects them. Raises `Broken` where the extra is missing."""
    if settings.traces_url is None:
        return None
    if not is_installed():
        problem_text = "needs packages that are not installed: pip install 'registry-bot[traces]'"
        raise Broken([Problem("REGISTRY_BOT_TRACES_URL", problem_text)])
    return Collector(settings.traces_url, settings.traces_headers, settings.ca_file)


def address(settings: Settings) -> str:
    """The address of the configured database, or of SQLite in the data folder."""
    if settings.database_url:
        return settings.database_url.reveal()
    return f"sqlite:///{settings.data_dir.absolute() / 'bot.db'}"


def database_url(settings: Settings) -> str:
    """The same, after creating the data folder so that only the bot's user can read it."""
    if not settings.database_url:
        try:
            settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            reason = "it is a file" if isinstance(error, FileExistsError) else error.strerror
            remedy = f"create it, and give it to the bot's user ({os.getuid()})"
            problem_text = f"can't be created ({settings.data_dir}: {reason}): {remedy}"
            raise Broken([Problem("REGISTRY_BOT_DATA_DIR", problem_text)]) from None
    return address(settings)
