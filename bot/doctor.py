"""`python -m bot doctor`: asks everything that the bot depends on, all at once, and changes nothing."""

import asyncio
import os
import shutil
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Literal

from bot import checking, configuration, identities, start
from bot import settings as environment_settings
from bot.collector import Collector
from bot.configuration import Files
from bot.manifest import SCOPES
from bot.problems import Broken, Problem
from bot.settings import Settings
from bot.slack.client import identify, open_client, open_socket
from handlers.kit.text import count, duration
from handlers.views.errors import plain
from services.gateways.azure import rights
from services.gateways.azure.gateway import Connection, Options, open_azure
from services.gateways.azure.identity import Identity
from services.gateways.kubernetes import access as kubeconfigs
from services.gateways.kubernetes.gateway import KubernetesGateway
from services.gateways.kubernetes.rights import holding
from services.model.azure import AcrRef, ClusterRef
from services.model.errors import Absent, DomainError, NotAllowed, NotAuthenticated, Unreachable
from services.operations.reach import cluster_of
from services.policy.identities import IdentityMap
from services.policy.sites import PROVIDERS, Site

DEADLINE = 25.0
"""Seconds for one question. Azure's gateway gives up after 20, the others after 15."""
AT_ONCE = 16
GIB = 2**30
SCARCE, EXHAUSTED = 1 * GIB, GIB // 10
"""Bytes of free disk: below the first it is time to act, below the second writes are about to fail."""
RENEWAL = timedelta(days=14)
"""Before a cluster's token expires, it is time for a new one."""
LARGEST_SKEW = timedelta(minutes=5)
"""A delivery's signature may be this old (Slack: verifying requests), and Entra's assertions tolerate no more."""

REFUSED, MULTIPLE_CHOICES = frozenset({401, 403}), 300
"""HTTP statuses of a collector that wants other headers, and the first of those that are no success."""

Level = Literal["ok", "WARN", "FAIL"]
"""`ok`: asked, and as it should be. `WARN`: works and deserves a look, or can't be asked. `FAIL`: does not work."""
_SEVERITY: Mapping[Level, int] = {"ok": 0, "WARN": 1, "FAIL": 2}


@dataclass(frozen=True)
class Verdict:
    """A clause that says how it is, and one that says what to do; `remedy` is empty where the first says both."""

    level: Level
    sentence: str
    remedy: str = ""


@dataclass(frozen=True)
class Question:
    """What is asked about, and how. Whatever `ask` raises becomes the answer."""

    subject: str
    ask: Callable[[], Awaitable[Verdict]]


@dataclass(frozen=True)
class Answer:
    """A verdict on a subject; as text, one line."""

    subject: str
    verdict: Verdict

    @property
    def level(self) -> Level:
        """How bad it is."""
        return self.verdict.level

    def __str__(self) -> str:
        remedy = f" To do: {self.verdict.remedy}." if self.verdict.remedy else ""
        sentence = self.verdict.sentence
        text = f"{self.subject}: {sentence}{'' if sentence.endswith(('.', '?')) else '.'}{remedy}"
        return f"{self.level:<4}  {' '.join(text.split())}"


async def examine(environment: Mapping[str, str] = os.environ) -> list[Answer]:
    """Read settings and files, then ask; the answers in an order that is always the same."""
    settings, files, names = None, None, None
    try:
        settings = environment_settings.load()
        problems = checking.machine_problems(settings)
        names = identities.load(settings.identities, environment)
    except Broken as error:
        problems = list(error.problems)
    site_file, access_file = (settings.sites, settings.access) if settings else environment_settings.paths()
    answers = [Answer("settings", _verdict_on(problems, "valid"))]
    try:
        files = configuration.load(site_file, access_file, identities=names)
        sizes = ("site", files.sites), ("grant", files.policy.grants), ("approval rule", files.policy.approvals)
        summary = ", ".join(count(len(entries), noun) for noun, entries in sizes)
        problems = checking.site_problems(files.sites, environment)
    except Broken as error:
        summary, problems = "", list(error.problems)
    answers.append(Answer("site file and access file", _verdict_on(problems, summary)))
    if settings is None or names is None:
        return [*answers, _unasked("Slack, Azure, database and clusters", "the settings can't be used")]
    answers += await ask(settings, files, environment, names)
    return answers if files else [*answers, _unasked("Azure and clusters", "the two files can't be used")]


async def ask(
    settings: Settings,
    files: Files | None,
    environment: Mapping[str, str] = os.environ,
    names: Mapping[str, Identity] | None = None,
) -> list[Answer]:
    """Put all questions to the outside; only those that need no site without `files`. `names` are more identities."""
    bound = asyncio.Semaphore(AT_ONCE)

    async def answer(question: Question) -> Answer:
        async with bound:
            try:
                async with asyncio.timeout(DEADLINE):
                    return Answer(question.subject, await question.ask())
            except Exception as error:  # noqa: BLE001 - any problem becomes one line, as when the bot starts
                return Answer(question.subject, _failure(error, settings))

    questions = [Question("database", partial(_database, settings))]
    if (folder := checking.sqlite_folder(settings)) is not None:
        parent = checking.nearest_folder(folder)

        async def free_disk() -> Verdict:
            return judge_disk(parent, (await asyncio.to_thread(shutil.disk_usage, parent)).free)

        questions.append(Question("free disk", free_disk))
    questions.append(Question("Slack bot token", partial(_bot_token, settings)))
    if settings.mode == "socket":
        questions.append(Question("Slack app token", partial(_app_token, settings)))
    if (collector := start.collector(settings)) is not None:
        questions.append(Question("traces collector", partial(judge_collector, collector)))
    async with AsyncExitStack() as stack:
        if files is not None:
            by_name = files.sites
            options = start.azure_options(settings, names or {}, IdentityMap(lambda: by_name))
            questions += await _of_azure_and_clusters(settings, options, tuple(by_name.values()), environment, stack)
        return await asyncio.gather(*map(answer, questions))


# --- verdicts -------------------------------------------------------------------------------------------------------


def _joined(verdicts: Collection[Verdict], well: str) -> Verdict:
    """The worst of several in one; without any, all is well."""
    if not verdicts:
        return Verdict("ok", well)
    level = max((verdict.level for verdict in verdicts), key=_SEVERITY.__getitem__)
    remedies = dict.fromkeys(verdict.remedy for verdict in verdicts if verdict.remedy)
    return Verdict(level, "; ".join(verdict.sentence for verdict in verdicts), "; ".join(remedies))


def _verdict_on(problems: Iterable[Problem], well: str) -> Verdict:
    return _joined([Verdict("FAIL", str(problem)) for problem in problems], well)


def _unasked(subject: str, reason: str) -> Answer:
    return Answer(subject, Verdict("WARN", f"not asked, since {reason}"))


def _failure(error: Exception, settings: Settings) -> Verdict:
    if isinstance(error, TimeoutError):
        return Verdict("FAIL", f"there was no answer within {DEADLINE:g} s", "check network, proxy and firewall")
    problem = start.problem(error, settings)
    # The subject of the question says where already, unless a setting is to blame.
    return Verdict("FAIL", str(problem) if problem.where.isupper() else problem.what)


# --- this machine and the database ----------------------------------------------------------------------------------


async def _database(settings: Settings) -> Verdict:
    match await asyncio.to_thread(checking.database_schema, settings):
        case "current":
            return Verdict("ok", "it answers, and its tables are those of this version")
        case "older":
            return Verdict(
                "WARN",
                "its tables are those of an older version",
                "stop the bot, back the database up and start this version",
            )
        case "none":
            remedy = (
                "if the bot has run before, compare REGISTRY_BOT_DATA_DIR and REGISTRY_BOT_DATABASE_URL with its"
                " environment; otherwise start it"
            )
            return Verdict("WARN", "it has no tables yet: no bot was started with these settings", remedy)


def judge_disk(folder: Path, free: int) -> Verdict:
    """What so many free bytes mean for the databases in a folder."""
    level: Level = "FAIL" if free < EXHAUSTED else "WARN" if free < SCARCE else "ok"
    remedy = "" if level == "ok" else "make room: SQLite can't write to a full disk, and the bot stops working"
    return Verdict(level, f"{free / GIB:.1f} GiB for {folder}", remedy)


# --- traces ---------------------------------------------------------------------------------------------------------


async def judge_collector(collector: Collector) -> Verdict:
    """Never a failure: the bot works without it."""
    try:
        status = await asyncio.to_thread(collector.try_out)
    except OSError as error:
        reason = getattr(error, "reason", None) or error.strerror or type(error).__name__
        return Verdict(
            "WARN", f"nobody answers there ({reason})", "check REGISTRY_BOT_TRACES_URL, network and firewall"
        )
    if status in REFUSED:
        remedy = "compare REGISTRY_BOT_TRACES_HEADERS with what the collector asks for"
        return Verdict("WARN", f"it refuses spans (HTTP {status})", remedy)
    if status >= MULTIPLE_CHOICES:
        remedy = "REGISTRY_BOT_TRACES_URL has to be the address for OTLP over HTTP, which usually ends with /v1/traces"
        return Verdict("WARN", f"it takes no spans at this address (HTTP {status})", remedy)
    return Verdict("ok", "it takes spans")


# --- Slack ----------------------------------------------------------------------------------------------------------


async def _bot_token(settings: Settings) -> Verdict:
    async with open_client(settings.slack_bot_token, api_url=settings.slack_api_url, ca_file=settings.ca_file) as slack:
        installation = await identify(slack)
    valid = f"it is valid for the workspace {installation.team_name or installation.team}"
    if not installation.scopes:
        return Verdict("WARN", f"{valid}; Slack did not disclose its scopes, so they are not compared")
    missing = [scope for scope in SCOPES if scope not in installation.scopes]
    surplus = sorted(installation.scopes.difference(SCOPES))
    verdicts: list[Verdict] = []
    if missing:
        remedy = "paste the manifest (`python -m bot manifest`) into the app's page and reinstall the app"
        verdicts.append(Verdict("FAIL", f"it lacks the scopes {', '.join(missing)}", remedy))
    if surplus:
        # Slack takes a granted scope away only with the token that has it (Slack: installing with OAuth).
        remedy = (
            "remove them on the app's page; they end with this token, so uninstall and install the app, set the new"
            " SLACK_BOT_TOKEN, and invite the bot to its channels again"
        )
        verdicts.append(Verdict("WARN", f"it has scopes that the bot never uses: {', '.join(surplus)}", remedy))
    return _joined(verdicts, f"{valid}, with the manifest's scopes and no others")


async def _app_token(settings: Settings) -> Verdict:
    if settings.slack_app_token is None:
        return Verdict("FAIL", "SLACK_APP_TOKEN is not set, but Socket Mode needs it")
    async with open_client(settings.slack_bot_token, api_url=settings.slack_api_url, ca_file=settings.ca_file) as slack:
        # The address is not opened: a second connection would take deliveries away from a running bot.
        await open_socket(slack, settings.slack_app_token)
    return Verdict("ok", "Slack offers a socket for it")


# --- Azure ----------------------------------------------------------------------------------------------------------

_NOT_ACCEPTED = Verdict("WARN", "not asked, since the bot's identity is not accepted (see the subscription's line)")


async def _of_azure_and_clusters(
    settings: Settings,
    options: Options,
    sites: Sequence[Site],
    environment: Mapping[str, str],
    stack: AsyncExitStack,
) -> list[Question]:
    """Clusters come after Azure, which knows whether an Arc proxy can lead anywhere."""
    try:
        connection = await stack.enter_async_context(await open_azure(options))
    except (DomainError, OSError) as error:
        failure = _failure(error, settings)

        async def refused() -> Verdict:
            return failure

        return [Question("Azure identity, needed for Azure and clusters", refused)]
    gateway = KubernetesGateway(environment=environment)
    stack.push_async_callback(gateway.close)
    clusters = [
        Question(f"cluster of site {site.name}", partial(_cluster, connection, gateway, environment, site))
        for site in sites
    ]
    return [*_AzureQuestions(connection, sites, options.identity_at).all(), *clusters]


@dataclass(frozen=True)
class _AzureQuestions:
    """What is asked of Azure over one connection, about everything that the sites name."""

    connection: Connection
    sites: Sequence[Site]
    identity_at: Callable[[str], str]

    def all(self) -> list[Question]:
        """One for each subscription, registry and cluster, and the clock."""
        subscriptions = sorted({name for site in self.sites for name in site.subscriptions})
        acrs = dict.fromkeys(site.acr_ref for site in self.sites)
        clusters = dict.fromkeys(site.cluster_ref for site in self.sites)
        return [
            *(
                Question(
                    self.subject(f"Azure subscription {name}", f"/subscriptions/{name}"),
                    partial(self.subscription, name),
                )
                for name in subscriptions
            ),
            *(
                Question(self.subject(f"Azure rights at registry {acr.name}", acr.id), partial(self.registry, acr))
                for acr in acrs
            ),
            *(
                Question(self.subject(f"Azure rights at cluster {arc.name}", arc.id), partial(self.cluster, arc))
                for arc in clusters
            ),
            Question("clock", partial(self.clock, subscriptions[0])),
        ]

    def subject(self, text: str, arm_id: str) -> str:
        """With the identity that works there, where it is not that of the settings."""
        identity = self.identity_at(arm_id)
        return f"{text} for the identity {identity}" if identity else text

    async def subscription(self, name: str) -> Verdict:
        """Whether the identity is accepted at all."""
        await self.connection.azure.providers.states(name, PROVIDERS)
        return Verdict("ok", "Azure accepts the bot's identity, which may read the resource providers")

    async def registry(self, acr: AcrRef) -> Verdict:
        """The rights at a cloud registry."""
        is_to_create = any(site.acr_ref == acr and site.acr.create_in for site in self.sites)
        try:
            await self.connection.azure.registries.get(acr)
        except NotAuthenticated:
            return _NOT_ACCEPTED
        except Absent as error:
            if is_to_create:
                return Verdict("WARN", "not asked: the registry does not exist yet; the first deployment creates it")
            return Verdict("FAIL", plain(error))
        return await self.rights(acr.id, rights.READING_AT_ACR, (*rights.PULLING, *rights.DEPLOYING_AT_ACR))

    async def cluster(self, arc: ClusterRef) -> Verdict:
        """The rights at an Arc-enabled cluster."""
        try:
            await self.connection.azure.clusters.get(arc)
        except NotAuthenticated:
            return _NOT_ACCEPTED
        return await self.rights(arc.id, rights.READING_AT_CLUSTER, rights.DEPLOYING_AT_CLUSTER)

    async def rights(self, arm_id: str, reading: Sequence[str], deploying: Sequence[str]) -> Verdict:
        """What is read of the resource itself is proven by now; this is about the rest."""
        permissions = self.connection.azure.permissions
        try:
            missing = await permissions.missing(arm_id, (*reading, *deploying))
            excessive = await permissions.excessive(arm_id)
        except NotAllowed:
            return Verdict(
                "WARN",
                f"the bot may read it; its other rights can't be asked without {', '.join(rights.ASKING)}",
                "assign the role of deploy/azure/writer.json, unless this bot only reads",
            )
        verdicts: list[Verdict] = []
        if unread := [action for action in missing if action in reading]:
            remedy = "assign the role of deploy/azure/reader.json, or writer.json to a bot that deploys"
            verdicts.append(Verdict("FAIL", f"for reading the bot lacks {', '.join(unread)}", remedy))
        if unwritten := [action for action in missing if action in deploying]:
            remedy = "assign the role of deploy/azure/writer.json, unless this bot only reads"
            verdicts.append(Verdict("WARN", f"for deployments the bot lacks {', '.join(unwritten)}", remedy))
        if excessive:
            remedy = "assign the roles of deploy/azure, then remove the wider one"
            verdicts.append(Verdict("WARN", f"the bot has more than it needs: {', '.join(excessive)}", remedy))
        return _joined(verdicts, "the bot has what reading and deploying need, and nothing that gives it everything")

    async def clock(self, subscription: str) -> Verdict:
        """A refusal has a date too."""
        with suppress(DomainError):
            await self.connection.azure.providers.states(subscription, PROVIDERS)
        ahead = self.connection.clock.ahead
        if ahead is None:
            return Verdict("WARN", "not compared, since Azure gave no answer with a date")
        if not ahead:
            return Verdict("ok", "this machine's clock and Azure's differ by less than a minute")
        level: Level = "FAIL" if abs(ahead) > LARGEST_SKEW else "WARN"
        direction = "behind" if ahead > timedelta() else "ahead of"
        sentence = f"this machine's clock is {duration(abs(ahead))} {direction} Azure's"
        return Verdict(
            level, sentence, "synchronise it (NTP): tokens and Slack's signatures are refused at five minutes"
        )


# --- clusters -------------------------------------------------------------------------------------------------------


def judge_token(expiry: datetime | None, now: datetime) -> Verdict | None:
    """What it means that a cluster's token expires then; None while there is time."""
    if expiry is None or expiry - now > RENEWAL:
        return None
    remedy = (
        "create a new one before (docs/connect.md, The rights) and write it into the kubeconfig; behind an Arc proxy,"
        " restart the proxy with it"
    )
    return Verdict("WARN", f"the bot's token expires on {expiry:%Y-%m-%d at %H:%M} UTC", remedy)


async def _cluster(
    connection: Connection, gateway: KubernetesGateway, environment: Mapping[str, str], site: Site
) -> Verdict:
    if site.access == "none":
        return Verdict("WARN", "not asked: the site file says `access: none`")
    try:
        cluster = await cluster_of(connection.azure, gateway, site)
        version = await cluster.version()
    except Unreachable as error:
        return Verdict("FAIL", plain(error), "see docs/runbook.md, A cluster is unreachable")
    namespace = site.cluster.kubernetes.hold_namespace
    missing = await cluster.missing_rights(namespace)
    deploying = {str(right) for right in holding(namespace)}
    way = site.cluster.kubernetes
    expiry = kubeconfigs.token_expiry(kubeconfigs.place(way.kubeconfig, environment), way.context)
    verdicts = [verdict for verdict in [judge_token(expiry, datetime.now(UTC))] if verdict]
    if cluster.identity == "unproven":
        remedy = "connect it to Azure Arc, and apply deploy/rbac/read-only.yaml so that the bot can read who it is"
        verdicts.append(
            Verdict("WARN", "it does not say that it is the site's Arc-enabled cluster, so nothing is written", remedy)
        )
    if unread := [right for right in missing if right not in deploying]:
        remedy = "apply deploy/rbac/read-only.yaml to it"
        verdicts.append(Verdict("FAIL", f"for reading the bot lacks: {', '.join(unread)}", remedy))
    if unwritten := [right for right in missing if right in deploying]:
        remedy = f"apply deploy/rbac/deploying.yaml with the namespace {namespace}, unless this bot only reads"
        verdicts.append(Verdict("WARN", f"for deployments the bot lacks: {', '.join(unwritten)}", remedy))
    return _joined(verdicts, f"{version}, the site's own Arc-enabled cluster, and the bot has the rights it needs")
