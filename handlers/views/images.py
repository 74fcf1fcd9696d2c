"""Images at the edge against the cloud, as people see them. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from handlers.kit import blocks
from handlers.kit.message import Block, Message
from handlers.kit.text import bold, code, count, date, escape, listed
from handlers.views.errors import explanation
from handlers.views.procedures.workload import short_digest
from services.model.azure import ConnectedRegistry
from services.model.contents import EdgeContents, EdgeSilence
from services.model.errors import NotAllowed
from services.policy.arrival import Arrival, State, last_sync
from services.policy.sites import Site

COLUMNS = ("Repository", "Tag", "State", "In the cloud", "At the edge")
_STATES: Mapping[State, tuple[str, str]] = {
    "unknown": ("could not be asked", "could not be asked"),
    "late": ("late: it should be there by now", "late"),
    "different": ("different: it should be the same by now", "different"),
    "incomplete": ("incomplete", "incomplete"),
    "gone": ("not in the cloud", "at the edge alone"),
    "due": ("due", "due"),
    "there": ("there", "there"),
}
"""The worst first: in the table, and in the headline after a number."""
_ORDER = tuple(_STATES)
_RIGHTS = "kubectl apply --filename deploy/rbac/images.yaml"


@dataclass(frozen=True)
class Repository:
    """One repository, and what the edge said of it."""

    name: str
    arrivals: tuple[Arrival, ...]
    edge: EdgeContents


@dataclass(frozen=True)
class Contents:
    """Of a connected registry: its repositories, and the patterns among its permissions, which nobody can list."""

    registry: ConnectedRegistry
    site: Site
    repositories: tuple[Repository, ...]
    patterns: tuple[str, ...] = ()


def card(contents: Contents, now: datetime, *, slash: str = "/registry") -> Message:
    """The verdict, when what is due comes, what could not be asked and why, and every tag, the worst first."""
    registry = contents.registry
    title = f"{bold(registry.name)} at {bold(contents.site.name)}"
    pairs = [(repository, each) for repository in contents.repositories for each in repository.arrivals]
    pairs.sort(key=lambda pair: (_ORDER.index(pair[1].state), pair[0].name, pair[1].tag))
    totals = Counter(each.state for _, each in pairs)
    summary = listed(f"{totals[state]} {_STATES[state][1]}" for state in reversed(_ORDER) if totals[state])
    is_well = totals.keys() <= {"there", "due"}
    mark = ":hourglass_flowing_sand:" if is_well and totals["due"] else ":white_check_mark:" if is_well else ":warning:"
    head = (
        f"{mark}  {title} has {count(len(pairs), 'tag')} to compare: {summary}." if pairs else _nothing(title, contents)
    )
    parts = [blocks.section(head), *_next_sync(registry, totals, pairs), *_silences(contents, slash)]
    if contents.patterns:
        named = listed(map(code, contents.patterns))
        parts.append(blocks.context(f"It may sync {named} too: name a repository to see it."))
    if pairs:
        parts.append(blocks.table(COLUMNS, [_row(repository.name, each, now) for repository, each in pairs]))
    return Message(escape(f"Images of {registry.name} at {contents.site.name}: {summary or 'none'}"), tuple(parts))


def _nothing(title: str, contents: Contents) -> str:
    if not contents.repositories:
        return f"{title} syncs no repository by name."
    return f"Neither the cloud nor {title} has a tag of {listed(code(each.name) for each in contents.repositories)}."


def _next_sync(
    registry: ConnectedRegistry, totals: Counter[State], pairs: list[tuple[Repository, Arrival]]
) -> Iterator[Block]:
    moments = [each.next_sync for _, each in pairs if each.next_sync]
    if totals["due"] and moments:
        yield blocks.section(f"What is due comes with the sync of {date(min(moments))}.")
    if totals["late"] or totals["different"]:
        synced = last_sync(registry)
        last = f"The last sync ended {date(synced)}." if synced else "It has never synced."
        yield blocks.section(f"{last} A tag that was pushed at the edge is different too, until the cloud has it.")


def _row(repository: str, arrival: Arrival, now: datetime) -> tuple[str, ...]:
    state = _STATES[arrival.state][0]
    if arrival.state == "due" and arrival.next_sync:
        state = "due now" if arrival.next_sync <= now else f"due {arrival.next_sync:%Y-%m-%d %H:%M} UTC"
    if arrival.missing:
        state = f"incomplete: {count(len(arrival.missing), 'manifest')} of its index missing"
    edge = short_digest(arrival.edge) or ("unknown" if arrival.state == "unknown" else "none")
    return repository, arrival.tag, state, short_digest(arrival.cloud) or "none", edge


def _silences(contents: Contents, slash: str) -> Iterator[Block]:
    """Why the edge gave no answer, once for all repositories of which that is so."""
    repositories: defaultdict[str, list[str]] = defaultdict(list)
    for repository in contents.repositories:
        if isinstance(repository.edge, EdgeSilence):
            repositories[silence(repository.edge, contents.registry.name, slash)].append(repository.name)
    for reason, names in repositories.items():
        text = f"Could not be asked: {listed(map(code, names))}. {reason}"
        if reason.startswith(_NO_READER):
            deploy = (
                f"{slash} workload deploy {contents.registry.name} --site {contents.site.name} --image {names[0]}:TAG"
            )
            text = f"{text} {code(deploy)}"
        yield blocks.section(text)


_NO_READER = "No workload of the bot pulls from there"


def silence(answer: EdgeSilence, registry: str, slash: str) -> str:
    """Why the edge gave no answer about a repository, and what helps."""
    if answer.error is not None:
        helps = f" {code(_RIGHTS)}" if isinstance(answer.error, NotAllowed) and "jobs" in answer.error.action else ""
        return f"{explanation(answer.error, slash=slash)}{helps}"
    detail = f": {escape(answer.detail)}." if answer.detail else "."
    sentences = {
        "NoReader": f"{_NO_READER}, and nothing else may read them at the edge{detail}",
        "Refused": (
            f"{code(registry)} refuses the client token of the workload{detail} It takes a new password or token over"
            " with its next sync."
        ),
        "Unreachable": f"In its own cluster {code(registry)} did not answer{detail}",
        "NoProgram": (
            f"The Job that asks it did not run{detail} Its image is the site's `cluster.kubernetes.reader_image`."
        ),
    }
    return sentences.get(answer.code, f"What {code(registry)} answered can't be read{detail}")
