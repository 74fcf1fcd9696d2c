"""Images at the edge against the cloud, as people see them. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from handlers.kit import blocks
from handlers.kit.language import phrase, t
from handlers.kit.message import Block, Message
from handlers.kit.text import bold, code, count, date, escape, listed
from handlers.views.errors import explanation
from handlers.views.procedures.workload import short_digest
from services.model.azure import AcrRef, ConnectedRegistry
from services.model.contents import EdgeContents, EdgeSilence
from services.model.errors import DomainError, NotAllowed
from services.policy.arrival import Arrival, State, last_sync
from services.policy.sites import Site

COLUMNS = (phrase("Repository"), phrase("Tag"), phrase("State"), phrase("In the cloud"), phrase("At the edge"))
_STATES: Mapping[State, tuple[str, str]] = {
    "unknown": (phrase("could not be asked"), phrase("could not be asked")),
    "late": (phrase("late: it should be there by now"), phrase("late")),
    "different": (phrase("different: it should be the same by now"), phrase("different")),
    "incomplete": (phrase("incomplete"), phrase("incomplete")),
    "gone": (phrase("not in the cloud"), phrase("at the edge alone")),
    "due": (phrase("due"), phrase("due")),
    "there": (phrase("there"), phrase("there")),
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
    title = t("{registry} at {name}", registry=bold(registry.name), name=bold(contents.site.name))
    pairs = [(repository, each) for repository in contents.repositories for each in repository.arrivals]
    pairs.sort(key=lambda pair: (_ORDER.index(pair[1].state), pair[0].name, pair[1].tag))
    totals = Counter(each.state for _, each in pairs)
    summary = listed(f"{totals[state]} {t(_STATES[state][1])}" for state in reversed(_ORDER) if totals[state])
    is_well = totals.keys() <= {"there", "due"}
    mark = ":hourglass_flowing_sand:" if is_well and totals["due"] else ":white_check_mark:" if is_well else ":warning:"
    head = (
        t(
            "{mark}  {title} has {tags} to compare: {summary}.",
            mark=mark,
            title=title,
            tags=count(len(pairs), "tag"),
            summary=summary,
        )
        if pairs
        else _nothing(title, contents)
    )
    parts = [blocks.section(head), *_next_sync(registry, totals, pairs), *_silences(contents, slash)]
    if contents.patterns:
        named = listed(map(code, contents.patterns))
        parts.append(blocks.context(t("It may sync {named} too: name a repository to see it.", named=named)))
    if pairs:
        rows = [(repository.name, each.tag, *_state_cells(each, now)) for repository, each in pairs]
        parts.append(blocks.table(COLUMNS, rows))
    return Message(
        escape(
            t(
                "Images of {registry} at {name}: {summary}",
                registry=registry.name,
                name=contents.site.name,
                summary=summary or "none",
            )
        ),
        tuple(parts),
    )


def _nothing(title: str, contents: Contents) -> str:
    if not contents.repositories:
        return t("{title} syncs no repository by name.", title=title)
    names = listed(code(repository.name) for repository in contents.repositories)
    if any(isinstance(repository.edge, EdgeSilence) for repository in contents.repositories):
        return t("The cloud has no tag of {names}. What {title} has is not known.", names=names, title=title)
    return t("Neither the cloud nor {title} has a tag of {names}.", title=title, names=names)


def _next_sync(
    registry: ConnectedRegistry, totals: Counter[State], pairs: list[tuple[Repository, Arrival]]
) -> Iterator[Block]:
    moments = [each.next_sync for _, each in pairs if each.next_sync]
    if totals["due"] and moments:
        yield blocks.section(t("What is due comes with the sync of {moments}.", moments=date(min(moments))))
    if totals["late"] or totals["different"]:
        synced = last_sync(registry)
        last = t("The last sync ended {synced}.", synced=date(synced)) if synced else t("It has never synced.")
        yield blocks.section(
            t("{last} A tag that was pushed at the edge is different too, until the cloud has it.", last=last)
        )


def _state_cells(arrival: Arrival, now: datetime) -> tuple[str, str, str]:
    """The state in words, and both digests."""
    state = t(_STATES[arrival.state][0])
    if arrival.state == "due" and arrival.next_sync:
        state = (
            t("due now")
            if arrival.next_sync <= now
            else t("due {next_sync:%Y-%m-%d %H:%M} UTC", next_sync=arrival.next_sync)
        )
    if arrival.missing:
        state = t("incomplete: {manifests} of its index missing", manifests=count(len(arrival.missing), "manifest"))
    edge = short_digest(arrival.edge) or (t("unknown") if arrival.state == "unknown" else t("none"))
    return state, short_digest(arrival.cloud) or t("none"), edge


def _silences(contents: Contents, slash: str) -> Iterator[Block]:
    """Why the edge gave no answer, once for all repositories of which that is so."""
    repositories: defaultdict[str, list[str]] = defaultdict(list)
    for repository in contents.repositories:
        if isinstance(repository.edge, EdgeSilence):
            repositories[silence(repository.edge, contents.registry.name, slash)].append(repository.name)
    for reason, names in repositories.items():
        text = t("Could not be asked: {names}. {reason}", names=listed(map(code, names)), reason=reason)
        if reason.startswith(t(_NO_READER)):
            deploy = (
                f"{slash} workload deploy {contents.registry.name} --site {contents.site.name} --image {names[0]}:TAG"
            )
            text = f"{text} {code(deploy)}"
        yield blocks.section(text)


_NO_READER = phrase("No workload of the bot pulls from there")


def silence(answer: EdgeSilence, registry: str, slash: str) -> str:
    """Why the edge gave no answer about a repository, and what helps."""
    if answer.error is not None:
        helps = f" {code(_RIGHTS)}" if isinstance(answer.error, NotAllowed) and "jobs" in answer.error.action else ""
        return f"{explanation(answer.error, slash=slash)}{helps}"
    detail = f": {escape(answer.detail)}." if answer.detail else "."
    sentences = {
        "NoReader": t(
            "{reason}, and nothing else may read them at the edge{detail}", reason=t(_NO_READER), detail=detail
        ),
        "NoAddress": t("{registry} has no address: it has never been activated.", registry=code(registry)),
        "NoPlace": t("At no site that you may see an extension serves it, or its cluster could not be asked."),
        "Refused": (
            t(
                "{registry} refuses the client token of the workload{detail} It takes a new password or token over"
                " with its next sync.",
                registry=code(registry),
                detail=detail,
            )
        ),
        "Unreachable": t(
            "In its own cluster {registry} did not answer{detail}", registry=code(registry), detail=detail
        ),
        "NoProgram": (
            t(
                "The Job that asks it did not run{detail} Its image is the site's `cluster.kubernetes.reader_image`.",
                detail=detail,
            )
        ),
    }
    return sentences.get(
        answer.code, t("What {registry} answered can't be read{detail}", registry=code(registry), detail=detail)
    )


# --- one image everywhere ---------------------------------------------------------------------------------------------

EDGE_COLUMNS = (
    phrase("Edge"),
    phrase("Site"),
    phrase("Cloud registry"),
    phrase("State"),
    phrase("In the cloud"),
    phrase("At the edge"),
)
MOST_NAMED = 10
"""Edges that a sentence names."""


@dataclass(frozen=True)
class Edge:
    """A connected registry that should have the image. `arrival` is None where nobody could ask for it."""

    registry: ConnectedRegistry
    acr: AcrRef
    site: Site | None
    contents: EdgeContents
    arrival: Arrival | None = None

    @property
    def state(self) -> State:
        """How the image stands there."""
        return self.arrival.state if self.arrival else "unknown"


@dataclass(frozen=True)
class Whereabouts:
    """Of an image: its digest in each cloud registry by name, empty where there is none, and every edge that syncs it.

    `unasked` are cloud registries of which nothing is known.
    """

    image: str
    digests: Mapping[str, str]
    edges: tuple[Edge, ...]
    unasked: tuple[tuple[str, DomainError], ...] = ()


def whereabouts(image: Whereabouts, now: datetime, *, slash: str = "/registry") -> Message:
    """How many edges have it, when the others get it, which could not be asked and why; then those without it."""
    edges = sorted(image.edges, key=lambda edge: (_ORDER.index(edge.state), edge.registry.name))
    totals = Counter(edge.state for edge in edges)
    digests = {digest for digest in image.digests.values() if digest}
    lines = [_verdict(image, totals, digests)]
    # Edges of cloud registries without the image were not asked.
    if lacking := [code(acr) for acr, digest in sorted(image.digests.items()) if not digest]:
        lines.append(
            t(
                "{lacking} {have} no {image}.",
                lacking=listed(lacking),
                have=t("has") if len(lacking) == 1 else t("have"),
                image=code(image.image),
            )
        )
    parts = [*map(blocks.section, lines), *_dues(edges, now)]
    reasons: defaultdict[str, list[str]] = defaultdict(list)
    for edge in edges:
        if isinstance(edge.contents, EdgeSilence):
            reasons[silence(edge.contents, edge.registry.name, slash)].append(_place(edge))
    parts += [
        blocks.section(t("Could not be asked: {names}. {reason}", names=_named(names), reason=reason))
        for reason, names in reasons.items()
    ]
    for acr, error in image.unasked:
        text = t(
            "Nothing is known of the edges of {acr}. {error}", acr=code(acr), error=explanation(error, slash=slash)
        )
        parts.append(blocks.section(text))
    rows = []
    for edge in edges:
        site, arrival = edge.site.name if edge.site else t("unknown"), edge.arrival or Arrival("", "unknown")
        if edge.state != "there":
            rows.append((edge.registry.name, site, edge.acr.name, *_state_cells(arrival, now)))
    if rows:
        parts.append(blocks.table(EDGE_COLUMNS, rows))
    unasked = t(", {unknown} could not be asked", unknown=totals["unknown"]) if totals["unknown"] else ""
    text = t(
        "{image}: {there} of {edges}{unasked}",
        image=image.image,
        there=totals["there"],
        edges=count(len(edges), "edge"),
        unasked=unasked,
    )
    return Message(escape(text), tuple(parts))


def _verdict(image: Whereabouts, totals: Counter[State], digests: set[str]) -> str:
    name, number = code(image.image), totals.total()
    if not number:
        return t(
            ":warning:  No {digests} {name}.",
            digests=t("edge that you may see syncs") if digests else t("cloud registry has"),
            name=name,
        )
    if totals["unknown"] == number:
        return t(
            ":warning:  {edges} should have {name}, and none could be asked.", edges=count(number, "edge"), name=name
        )
    what = code(short_digest(next(iter(digests)))) if len(digests) == 1 else t("the digest of their cloud registry")
    others = [f"{totals[state]} {t(_STATES[state][1])}" for state in reversed(_ORDER[:-1]) if totals[state]]
    mark = ":white_check_mark:" if totals["there"] == number else ":warning:"
    if totals["there"] + totals["due"] == number and totals["due"]:
        mark = ":hourglass_flowing_sand:"
    have = t("has") if number == 1 else t("have")
    text = t(
        "{mark}  {there} of {edges} {have} {name} with {what}",
        mark=mark,
        there=totals["there"],
        edges=count(number, "edge"),
        have=have,
        name=name,
        what=what,
    )
    return f"{text}; {listed(others)}." if others else f"{text}."


def _dues(edges: Iterable[Edge], now: datetime) -> Iterator[Block]:
    """When those get it at which it is due, the soonest first."""
    times: defaultdict[str, list[str]] = defaultdict(list)
    due = [(edge.arrival.next_sync, edge) for edge in edges if edge.arrival and edge.arrival.next_sync]
    for moment, edge in sorted(due, key=lambda pair: pair[0]):
        times[t("now") if moment <= now else date(moment)].append(_place(edge))
    if times:
        yield blocks.section(
            t(
                "Due {times}.",
                times=t("; ").join(
                    (t("{moment} at {names}", moment=moment, names=_named(names)) for moment, names in times.items())
                ),
            )
        )


def _place(edge: Edge) -> str:
    return code(edge.registry.name) + (f" ({escape(edge.site.name)})" if edge.site else "")


def _named(names: list[str]) -> str:
    surplus = [t("{number} more", number=len(names) - MOST_NAMED)] if len(names) > MOST_NAMED else []
    return listed([*names[:MOST_NAMED], *surplus])
