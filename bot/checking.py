"""What `check-config` finds: what can be seen on this machine, and with `--ask` what the outside answers."""

import asyncio
import os
import ssl
from collections.abc import Mapping
from pathlib import Path

from bot import start
from bot.manifest import SCOPES
from bot.problems import Problem
from bot.settings import Settings
from bot.slack.client import identify, open_client, open_socket
from handlers.views.errors import plain
from services.gateways.azure.gateway import open_azure
from services.gateways.kubernetes.gateway import KubernetesGateway
from services.model.errors import DomainError
from services.policy.sites import Site
from services.store.store import check as check_database

PROVIDER = "Microsoft.ContainerRegistry"
"""The bot reads its state: a question that needs a token and a right, and changes nothing."""


def local_problems(settings: Settings) -> list[Problem]:
    """What is wrong on this machine. Nothing is made, and nobody is asked."""
    checks = [_folder(settings), _certificates(settings), _token_file(settings)]
    problems = [problem for problem in checks if problem is not None]
    if not problems and not (settings.database_url and settings.database_url.reveal().startswith("postgresql")):
        problems += _database(settings)
    return problems


def _folder(settings: Settings) -> Problem | None:
    """The data folder is made at the start; what has to be there is a folder above it in which that can be done."""
    if settings.database_url:
        return None
    folder = settings.data_dir.absolute()
    above = next(each for each in (folder, *folder.parents) if each.exists())
    if not above.is_dir():
        return Problem("REGISTRY_BOT_DATA_DIR", f"{above} is a file: it has to be a folder")
    if above == folder or os.access(above, os.W_OK | os.X_OK):
        return None
    return Problem("REGISTRY_BOT_DATA_DIR", f"{folder} can't be made: {above} is not the bot's user's ({os.getuid()})")


def _certificates(settings: Settings) -> Problem | None:
    if settings.ca_file is None:
        return None
    try:
        ssl.create_default_context(cafile=settings.ca_file)
    except OSError as error:
        return start.problem(error, settings)
    return None


def _token_file(settings: Settings) -> Problem | None:
    file = settings.azure_federated_token_file
    if not file or os.access(file, os.R_OK):
        return None
    reason = "the bot may not read it" if Path(file).exists() else "there is no such file"
    return Problem("AZURE_FEDERATED_TOKEN_FILE", f"{file}: {reason}")


def _database(settings: Settings) -> list[Problem]:
    if not settings.database_url and not settings.data_dir.exists():
        return []
    try:
        check_database(start.address(settings))
    except Exception as error:  # noqa: BLE001 - whatever is wrong with it is a line, as at the start
        return [start.problem(error, settings)]
    return []


# --- asking ---------------------------------------------------------------------------------------------------------


async def outside_problems(settings: Settings, sites: Mapping[str, Site]) -> list[Problem]:
    """What Slack, Azure, the database and each site's cluster refuse. Nothing is changed anywhere."""
    questions = [_slack(settings), _azure(settings, sites), asyncio.to_thread(_database, settings), _clusters(sites)]
    answers = await asyncio.gather(*questions)
    return [problem for problems in answers for problem in problems]


async def _slack(settings: Settings) -> list[Problem]:
    problems: list[Problem] = []
    try:
        async with open_client(
            settings.slack_bot_token, api_url=settings.slack_api_url, ca_file=settings.ca_file
        ) as client:
            if settings.slack_app_token and settings.mode == "socket":
                try:
                    await open_socket(client, settings.slack_app_token)
                except DomainError as error:
                    problems.append(start.problem(error, settings))
            scopes = (await identify(client)).scopes
    except (DomainError, OSError) as error:
        return [*problems, start.problem(error, settings)]
    lacking = [scope for scope in SCOPES if scopes and scope not in scopes]
    if lacking:
        remedy = "paste the manifest into the app's page and install it again"
        problems.append(Problem("SLACK_BOT_TOKEN", f"lacks the scopes {', '.join(lacking)}: {remedy}"))
    return problems


async def _azure(settings: Settings, sites: Mapping[str, Site]) -> list[Problem]:
    problems: list[Problem] = []
    try:
        async with await open_azure(start.azure_options(settings)) as connection:
            for subscription in {site.subscription for site in sites.values()}:
                try:
                    await connection.azure.providers.states(subscription, [PROVIDER])
                except DomainError as error:
                    problems.append(Problem(f"azure subscription {subscription}", plain(error)))
    except (DomainError, OSError) as error:
        problems.append(start.problem(error, settings))
    return problems


async def _clusters(sites: Mapping[str, Site]) -> list[Problem]:
    gateway = KubernetesGateway()

    async def ask(site: Site) -> Problem | None:
        try:
            cluster = await gateway.cluster(site.cluster.kubernetes.kubeconfig, site.cluster.kubernetes.context)
            await cluster.version()
        except DomainError as error:
            return Problem(f"cluster of site {site.name}", plain(error))
        return None

    try:
        answers = await asyncio.gather(*map(ask, sites.values()))
    finally:
        await gateway.close()
    return [problem for problem in answers if problem is not None]
