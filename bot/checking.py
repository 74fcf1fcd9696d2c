"""The checks of `check-config`: settings and files against this machine. Nobody is asked."""

import os
import ssl
from collections.abc import Iterator, Mapping
from pathlib import Path

from bot import start
from bot.problems import Broken, Problem
from bot.settings import Settings
from handlers.views.errors import plain
from handlers.views.facts import sentence
from handlers.views.procedures.words import CERTIFICATE_FINDINGS
from services.gateways.kubernetes import access as kubeconfigs
from services.gateways.proxies import is_loopback
from services.model.errors import Unreachable
from services.operations.certificates import Unusable, look
from services.operations.local_secrets import password_of
from services.policy.sites import Site
from services.store import Schema, schema


def local_problems(settings: Settings) -> list[Problem]:
    """What is wrong on this machine. Creates nothing and asks nobody."""
    problems = machine_problems(settings)
    if not problems and not start.address(settings).startswith("postgresql"):
        try:
            database_schema(settings)
        except Exception as error:  # noqa: BLE001 - any problem becomes one line, as when the bot starts
            problems.append(start.problem(error, settings))
    return problems


def machine_problems(settings: Settings) -> list[Problem]:
    """The same without the database: the folder and the files that the settings name."""
    problems = []
    if not settings.database_url:
        folder, user = settings.data_dir.absolute(), os.getuid()
        # The folder is created when the bot starts; what has to exist is a parent in which that is possible.
        parent = nearest_folder(folder)
        if not parent.is_dir():
            problems.append(Problem("REGISTRY_BOT_DATA_DIR", f"{parent} is a file; it has to be a folder"))
        elif parent != folder and not os.access(parent, os.W_OK | os.X_OK):
            text = f"{folder} can't be created: user {user} may not write to {parent}"
            problems.append(Problem("REGISTRY_BOT_DATA_DIR", text))
    archive = settings.audit_archive
    if archive is not None and not (archive.is_dir() and os.access(archive, os.W_OK | os.X_OK)):
        reason = f"user {os.getuid()} may not write to it" if archive.is_dir() else "there is no such folder"
        problems.append(Problem("REGISTRY_BOT_AUDIT_ARCHIVE", f"{archive}: {reason}"))
    if settings.ca_file is not None:
        try:
            ssl.create_default_context(cafile=settings.ca_file)
        except OSError as error:
            problems.append(start.problem(error, settings))
    try:
        start.collector(settings)
    except Broken as error:
        problems += error.problems
    token_file = settings.azure_federated_token_file
    if token_file and not os.access(token_file, os.R_OK):
        reason = "the bot may not read it" if Path(token_file).exists() else "there is no such file"
        problems.append(Problem("AZURE_FEDERATED_TOKEN_FILE", f"{token_file}: {reason}"))
    return problems


def nearest_folder(folder: Path) -> Path:
    """The folder, or the nearest one above it that exists."""
    return next(parent for parent in (folder, *folder.parents) if parent.exists())


def sqlite_folder(settings: Settings) -> Path | None:
    """Where the SQLite files are, or will be; None on PostgreSQL."""
    address = start.address(settings)
    if not address.startswith("sqlite:///"):
        return None
    return Path(address.removeprefix("sqlite:///").partition("?")[0]).absolute().parent


def database_schema(settings: Settings) -> Schema:
    """Whose tables the database has, `none` also before the first start. Blocks; raises `UnusableDatabase`."""
    if not settings.database_url and not settings.data_dir.exists():
        return "none"
    return schema(start.address(settings))


def site_problems(sites: Mapping[str, Site], environment: Mapping[str, str] = os.environ) -> list[Problem]:
    """Kubeconfigs that lead a site nowhere, or two sites' clusters to one API server, and secrets that are missing.

    Nobody is asked.

    Where the bot's machine has no kubeconfig yet, nothing can be said.
    """
    problems = list[Problem]()
    by_server: dict[str, Site] = {}
    for site in sites.values():
        problems += secret_problems(site, environment)
        if site.access == "none":
            continue
        access = site.cluster.kubernetes
        try:
            server = kubeconfigs.api_server(kubeconfigs.place(access.kubeconfig, environment), access.context)
        except Unreachable as error:
            if error.code != "KubeconfigMissing":
                problems.append(Problem(f"cluster of site {site.name}", plain(error)))
            continue
        if site.access == "arc" and not is_loopback(server):
            text = (
                f"`access: arc` goes through a proxy on the bot's own machine, but its kubeconfig leads to {server}:"
                " name the file that `az connectedk8s proxy --file` writes, or set `access: kubeconfig`"
            )
            problems.append(Problem(f"cluster of site {site.name}", text))
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


def secret_problems(site: Site, environment: Mapping[str, str]) -> Iterator[Problem]:
    """Passwords of the site's image sources that can't be read, and a certificate of its own that can't be used."""
    for host, source in site.sources.items():
        try:
            if not source.resource_id:
                password_of(source, environment)
        except ValueError as error:
            yield Problem(f"images of site {site.name}", f"the password for {host} can't be read: {error}")
    if site.extension.certificate and isinstance(unusable := look(site, environment), Unusable):
        text = sentence(CERTIFICATE_FINDINGS[unusable.code].sentence, unusable.facts).replace("`", "")
        yield Problem(f"certificate of site {site.name}", text)
