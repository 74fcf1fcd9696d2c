"""The bot about itself and about you: ping, whoami."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta

from handlers.kit import blocks
from handlers.kit.command import command
from handlers.kit.message import Message
from handlers.kit.request import Request
from handlers.kit.text import bold, code, date, duration, escape, listed, mention
from services.model.errors import DomainError, NotAllowed, NotAuthenticated, Throttled, Unreachable
from services.model.people import Person
from services.policy.access import Denial, Grant
from services.policy.sites import PROVIDERS, Site
from services.services import Services

_PROBE_DEADLINE = timedelta(seconds=8)
_PROBES_AT_ONCE = 10


@command("ping", needs=None, examples=("ping",))
async def ping(request: Request, services: Services) -> Message:
    """Say whether the bot is well: its version, and how long Slack, Azure and the clusters take to answer."""
    about = services.about
    results = await _all(_probes(request, services))
    text = f"Version {code(about.version)} on {escape(about.engine)}, up for {duration(request.now - about.started)}."
    lines = "\n".join(f"{bold(name)}: {result}" for name, result in results)
    foot = f"Reference {code(request.reference)}, {date(request.now)}"
    return Message(f"{text}\n{lines}", (blocks.section(text), blocks.section(lines), blocks.context(foot)))


Probe = Callable[[], Awaitable[object]]


def _probes(request: Request, services: Services) -> list[tuple[str, Probe]]:
    policy = services.policy
    may = [
        site
        for site in services.sites.values()
        if policy.decide(request.person, request.place, "registry:read", site).allowed
    ]
    subscriptions = sorted({site.subscription for site in may})
    probes: list[tuple[str, Probe]] = [("Slack", services.slack.ping)]
    probes += [(f"Azure, subscription {each[:8]}…", _ask_azure(services, each)) for each in subscriptions]
    return probes + [(f"Cluster of {site.name}", _ask_cluster(services, site)) for site in may]


def _ask_azure(services: Services, subscription: str) -> Probe:
    return lambda: services.azure.providers.states(subscription, PROVIDERS)


def _ask_cluster(services: Services, site: Site) -> Probe:
    async def ask() -> None:
        access = site.cluster.kubernetes
        await (await services.kubernetes.cluster(access.kubeconfig, access.context)).version()

    return ask


async def _all(probes: list[tuple[str, Probe]]) -> list[tuple[str, str]]:
    bound = asyncio.Semaphore(_PROBES_AT_ONCE)

    async def one(name: str, probe: Probe) -> tuple[str, str]:
        async with bound:
            return name, await _timed(probe)

    return list(await asyncio.gather(*(one(name, probe) for name, probe in probes)))


async def _timed(probe: Probe) -> str:
    began = time.perf_counter()
    try:
        async with asyncio.timeout(_PROBE_DEADLINE.total_seconds()):
            await probe()
    except TimeoutError:
        return f"no answer within {_PROBE_DEADLINE.total_seconds():.0f} s"
    except DomainError as error:
        return _no(error)
    return f"{(time.perf_counter() - began) * 1000:.0f} ms"


def _no(error: DomainError) -> str:
    """Why there was no answer; the log has more."""
    match error:
        case Unreachable():
            return "could not be reached"
        case NotAuthenticated():
            return "does not accept the bot's identity"
        case NotAllowed():
            return "answers, but does not let the bot ask this"
        case Throttled():
            return "was asked too often"
    return "answers with an error"


@command("whoami", needs=None, examples=("whoami",))
async def whoami(request: Request, services: Services) -> Message:
    """Show who you are to the bot, what you may do in this channel, and which rule says so."""
    problem = await services.slack.groups_problem()
    held = services.policy.held(request.person, request.place)
    denied = services.policy.denied(request.person, request.place)
    parts = [
        _identity(request.person),
        _roles(held),
        _denials(denied) if held else "",
        _elsewhere(request, services, held),
        _groups(request, problem),
    ]
    shown = [part for part in parts if part]
    return Message("\n".join(shown), tuple(blocks.section(part) for part in shown))


def _identity(person: Person) -> str:
    kind = "a guest" if person.is_guest else "a member of another workspace" if person.is_external else "a member"
    return f"You are {mention(person.id)} ({code(person.id)}), {kind}; your time zone is {escape(person.tz)}."


def _roles(held: tuple[tuple[Grant, str], ...]) -> str:
    if not held:
        return "You have no role in this channel."
    return "In this channel you are:\n" + "\n".join(_grant(grant, entry) for grant, entry in held)


def _denials(denied: tuple[Denial, ...]) -> str:
    lines = [
        f"• {listed(map(code, one.permissions)) or 'anything'} at {_where(one)} (rule _{escape(one.name)}_)"
        for one in denied
    ]
    return "Whatever your roles, you may not:\n" + "\n".join(lines) if lines else ""


def _where(rule: Grant | Denial) -> str:
    places = [*map(code, rule.sites), *(f"every {escape(each)} site" for each in rule.environments)]
    return listed(places) if places else "every site"


def _grant(grant: Grant, entry: str) -> str:
    roles = listed(f"*{role}*" for role in grant.roles)
    return f"• {roles} at {_where(grant)}, as {code(entry)} (rule _{escape(grant.name)}_)"


def _elsewhere(request: Request, services: Services, held: tuple[tuple[Grant, str], ...]) -> str:
    here = {grant.name for grant, _ in held}
    channels = {
        channel: None
        for grant in services.policy.grants
        if grant.name not in here and services.policy.names(request.person, grant.to)
        for channel in grant.channels
    }
    return f"You have further roles in {listed(f'<#{channel}>' for channel in channels)}." if channels else ""


def _groups(request: Request, problem: str) -> str:
    if problem:
        return (
            f"Slack does not tell the bot who is in which user group ({code(problem)}), so roles that are given to"
            " groups don't count. Groups need a paid plan and the scope `usergroups:read`."
        )
    groups = sorted(group for group in request.person.groups if not group.startswith("S"))
    return f"Your user groups: {listed(f'@{escape(group)}' for group in groups)}." if groups else ""
