"""The checks of `check-config`: those of this machine, and with `--ask` those that question the outside."""

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
from services.gateways.kubernetes import access as kubeconfigs
from services.gateways.kubernetes.gateway import KubernetesGateway
from services.model.errors import DomainError, Unreachable
from services.policy.sites import Site
from services.store.store import check as check_database

PROVIDER = "Microsoft.ContainerRegistry"
"""Its registration state is read to try the bot's token and rights; reading changes nothing."""


def local_problems(settings: Settings) -> list[Problem]:
    """What is wrong on this machine. Creates nothing and asks nobody."""
    problems = [] if settings.database_url else _data_folder_problems(settings.data_dir.absolute())
    if settings.ca_file is not None:
        try:
            ssl.create_default_context(cafile=settings.ca_file)
        except OSError as error:
            problems.append(start.problem(error, settings))
    token_file = settings.azure_federated_token_file
    if token_file and not os.access(token_file, os.R_OK):
        reason = "the bot may not read it" if Path(token_file).exists() else "there is no such file"
        problems.append(Problem("AZURE_FEDERATED_TOKEN_FILE", f"{token_file}: {reason}"))
    if not problems and not (settings.database_url and settings.database_url.reveal().startswith("postgresql")):
        problems += _database(settings)
    return problems


def _data_folder_problems(folder: Path) -> list[Problem]:
    """The folder is created when the bot starts; what has to exist is a parent in which that is possible."""
    nearest = next(parent for parent in (folder, *folder.parents) if parent.exists())
    if not nearest.is_dir():
        return [Problem("REGISTRY_BOT_DATA_DIR", f"{nearest} is a file; it has to be a folder")]
    if nearest == folder or os.access(nearest, os.W_OK | os.X_OK):
        return []
    user = os.getuid()
    return [Problem("REGISTRY_BOT_DATA_DIR", f"{folder} can't be created: user {user} may not write to {nearest}")]


def _database(settings: Settings) -> list[Problem]:
    if not settings.database_url and not settings.data_dir.exists():
        return []
    try:
        check_database(start.address(settings))
    except Exception as error:  # noqa: BLE001 - any problem becomes one line, as when the bot starts
        return [start.problem(error, settings)]
    return []


def site_problems(sites: Mapping[str, Site], environment: Mapping[str, str] = os.environ) -> list[Problem]:
    """Kubeconfigs that lead a site nowhere, or two sites' clusters to one API server. Nobody is asked.

    Where the bot's machine has no kubeconfig yet, nothing can be said.
    """
    problems: list[Problem] = []
    by_server: dict[str, Site] = {}
    for site in sites.values():
        if site.access == "none":
            continue
        access = site.cluster.kubernetes
        try:
            server = kubeconfigs.api_server(kubeconfigs.place(access.kubeconfig, environment), access.context)
        except Unreachable as error:
            if error.code != "KubeconfigMissing":
                problems.append(Problem(f"cluster of site {site.name}", plain(error)))
            continue
        other = by_server.setdefault(server.rstrip("/").casefold(), site)
        if other.cluster_ref.id.lower() != site.cluster_ref.id.lower():
            place = server or "the bot's own API server"
            problems.append(
                Problem(
                    f"cluster of site {site.name}",
                    f"it is reached at {place}, as that of site {other.name} is, but"
                    f" their clusters are {site.cluster.name} and {other.cluster.name}: set `cluster.kubernetes` of one"
                    " of them",
                )
            )
    return problems


# --- asking ---------------------------------------------------------------------------------------------------------


async def outside_problems(settings: Settings, sites: Mapping[str, Site]) -> list[Problem]:
    """What Slack, Azure, the database and each site's cluster refuse. Changes nothing."""
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
    missing = [scope for scope in SCOPES if scopes and scope not in scopes]
    if missing:
        remedy = "paste the manifest into the app's page and reinstall the app"
        problems.append(Problem("SLACK_BOT_TOKEN", f"lacks the scopes {', '.join(missing)}: {remedy}"))
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
        answers = await asyncio.gather(*(ask(site) for site in sites.values() if site.access != "none"))
    finally:
        await gateway.close()
    return [problem for problem in answers if problem is not None]
