"""Connected registries as people see them. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from handlers.kit import blocks
from handlers.kit.language import phrase, t
from handlers.kit.message import Block, Message
from handlers.kit.text import bold, code, date, duration, escape, labelled, listed
from handlers.views import errors
from handlers.views import health as health_words
from handlers.views.facts import registries
from services.model.azure import AcrRef, ConnectedRegistry
from services.model.errors import DomainError
from services.model.health import DiskSample, Health
from services.policy.placement import Placement
from services.policy.sites import CONTINUOUS, Site
from services.watching.health import WORST_FIRST, health, sighting_of

MARKS = {"online": ":large_green_circle:", "syncing": ":arrows_counterclockwise:", "unhealthy": ":large_orange_circle:"}
PAGE = 25
"""Rows on one page of the list."""
COLUMNS = (
    phrase("Name"),
    phrase("Health"),
    phrase("Site"),
    phrase("State"),
    phrase("Last sync"),
    phrase("Mode"),
    phrase("Parent"),
    phrase("Login server"),
    phrase("Activation"),
    phrase("Schedule (UTC)"),
    phrase("Window"),
)
CHILD = "└ "
"""Before the name of one that syncs from another connected registry, once a level."""
MOST_SITES = 10
"""Sites that a note names."""
Key = tuple[str, str]
"""A cloud registry's ARM id and a name in it, both in lower case."""


@dataclass(frozen=True)
class Row:
    """One connected registry of the list. `placement` holds only the sites that the reader may see."""

    acr: AcrRef
    registry: ConnectedRegistry
    placement: Placement
    health: Health


@dataclass(frozen=True)
class Fleet:
    """All that a person may see.

    `unasked` are cloud registries that could not be asked, `unasked_sites` sites whose clusters could not; `hidden` is
    the number of connected registries at sites that the person may not read.
    """

    rows: tuple[Row, ...]
    unasked: tuple[tuple[str, DomainError], ...] = ()
    unasked_sites: tuple[str, ...] = ()
    hidden: int = 0


@dataclass(frozen=True)
class Selection:
    """The rows that were asked for, and which page of them. `turns` is the command of the paging buttons."""

    rows: tuple[Row, ...]
    page: int
    turns: str
    site: str = ""


def row(
    acr: AcrRef,
    registry: ConnectedRegistry,
    placement: Placement,
    now: datetime,
    disk: tuple[DiskSample, ...] = (),
) -> Row:
    """A connected registry with its health at that moment; `disk` is what polls have seen of its disk."""
    state = next((extension.provisioning_state for _, extension in placement.extensions), "")
    return Row(acr, registry, placement, health(sighting_of(acr.id, registry, now, extension=state, samples=disk), now))


def listing(fleet: Fleet, selection: Selection, now: datetime) -> Message:
    """One page of a table, children below their parents and the worst first; below it what could not be asked."""
    notes = list(_notes(fleet, selection))
    if not selection.rows:
        text = _nothing(fleet)
        return Message(escape(text), (blocks.section(escape(text)), *notes))
    ordered = _worst_first(selection.rows)
    pages = blocks.pages_of_rows(COLUMNS, [_cells(each, depth, now) for each, depth in ordered], PAGE)
    totals = Counter(each.health.state for each in selection.rows)
    counts = health_words.counts({state: totals[state] for state in WORST_FIRST if totals[state]})
    head = registries(len(selection.rows))
    if len(selection.rows) < len(fleet.rows):
        head = t("{number} of {registries}", number=len(selection.rows), registries=registries(len(fleet.rows)))
    table = blocks.paged(
        labelled(bold(head), counts), COLUMNS, pages, selection.page, turns=f"{selection.turns} --turn"
    )
    return Message(labelled(head, counts), (*table, *notes))


def _nothing(fleet: Fleet) -> str:
    if fleet.rows:
        return t("None of {registries} matches.", registries=registries(len(fleet.rows)))
    if fleet.unasked:
        return t("No cloud registry could be asked.")
    return (
        t("There is no connected registry that you may read.")
        if fleet.hidden
        else t("There are no connected registries.")
    )


def _notes(fleet: Fleet, selection: Selection) -> Iterator[Block]:
    """What the table does not have, and why."""
    for name, error in fleet.unasked:
        yield blocks.section(
            t(":grey_question:  {name} could not be asked. {error}", name=bold(name), error=errors.explanation(error))
        )
    if fleet.unasked_sites:
        clusters = t("The cluster of {unasked_sites}", unasked_sites=code(fleet.unasked_sites[0]))
        if len(fleet.unasked_sites) > 1:
            clusters = t(
                "The clusters of {unasked_sites}", unasked_sites=listed(map(code, fleet.unasked_sites[:MOST_SITES]))
            )
        further = len(fleet.unasked_sites) - MOST_SITES
        also = t(" and {further} more sites", further=further) if further > 0 else ""
        yield blocks.context(
            t(":grey_question:  {clusters}{also} could not be asked about extensions.", clusters=clusters, also=also)
        )
    if selection.site:
        homeless = [each for each in fleet.rows if not each.placement.extensions and not each.placement.unasked]
        if homeless:
            acrs = listed(sorted({code(each.acr.name) for each in homeless}))
            yield blocks.context(
                t(
                    "{registries} of {acrs} without an extension at any site.",
                    registries=registries(len(homeless)),
                    acrs=acrs,
                )
            )
    if fleet.hidden:
        yield blocks.context(t("{hidden} at sites that you may not read.", hidden=registries(fleet.hidden)))


def _worst_first(rows: Sequence[Row]) -> list[tuple[Row, int]]:
    """The rows with their depths: every parent before its children, and the worst family first.

    One whose parent is not among the rows stands for itself.
    """
    by_key = {_key(each, each.registry.name): each for each in rows}
    children: defaultdict[Key | None, list[Row]] = defaultdict(list)
    for key, each in by_key.items():
        children[_parent_key(key, by_key)].append(each)

    def family(member: Row, depth: int) -> Iterator[tuple[Row, int]]:
        yield member, depth
        for child in ordered(children[_key(member, member.registry.name)]):
            yield from family(child, depth + 1)

    def worst(member: Row) -> tuple[int, int, str, str]:
        own = WORST_FIRST.index(member.health.state)
        return (
            min(WORST_FIRST.index(each.health.state) for each, _ in family(member, 0)),
            own,
            *_key(member, member.registry.name),
        )

    def ordered(members: Iterable[Row]) -> list[Row]:
        return sorted(members, key=worst)

    return [pair for root in ordered(children[None]) for pair in family(root, 0)]


def _key(member: Row, name: str) -> Key:
    return member.acr.id.lower(), name.lower()


def _parent_key(key: Key, by_key: Mapping[Key, Row]) -> Key | None:
    """The parent's key; None where the parent is not among the rows, or the parents go round in a circle."""
    parent = _key(by_key[key], by_key[key].registry.parent)
    passed, ancestor = {key}, parent
    while ancestor in by_key and ancestor not in passed:
        passed.add(ancestor)
        ancestor = _key(by_key[ancestor], by_key[ancestor].registry.parent)
    return parent if parent in by_key and ancestor != key else None


def _cells(member: Row, depth: int, now: datetime) -> tuple[str, ...]:
    registry, placement, result = member.registry, member.placement, member.registry.sync_result
    synced = t("{age} ago", age=duration(now - registry.last_sync)) if registry.last_sync else t("never")
    sites = ", ".join(site.name for site in placement.sites)
    return (
        f"{CHILD * depth}{registry.name}",
        health_words.word(member.health.state),
        sites or (t("not known") if placement.unasked else t("none")),
        ", ".join(filter(None, (registry.connection_state, health_words.disk(member.health)))),
        t("{synced}, full sync {state}", synced=synced, state=result.state) if result and result.is_failure else synced,
        registry.mode,
        _parent(member.acr, registry),
        registry.login_server,
        registry.activation,
        registry.schedule if registry.schedule != CONTINUOUS else t("continuous"),
        duration(registry.window) if registry.window and registry.schedule != CONTINUOUS else "",
    )


def place(member: Row) -> str:
    """Such as `at berlin`, or `of contosoacr` where it runs at no known site; in mrkdwn."""
    sites = t(" and ").join(site.name for site in member.placement.sites)
    return t("at {sites}", sites=escape(sites)) if sites else t("of {name}", name=escape(member.acr.name))


def show_line(member: Row) -> str:
    """The command that shows it; with a site where one is known, since another cloud registry may have its name."""
    sites = member.placement.sites
    return f"show {member.registry.name}" + (f" --site {sites[0].name}" if sites else "")


def _parent(acr: AcrRef, registry: ConnectedRegistry) -> str:
    """The connected registry above it with its cloud registry, or the cloud registry."""
    is_child = registry.parent and registry.parent.lower() != acr.name.lower()
    return f"{registry.parent} ({acr.name})" if is_child else acr.name


# --- one ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Detail:
    """One connected registry. `asked_at` is the site that the reader named.

    `placement` holds only the sites that the reader may see; `unasked` are cloud registries that could have another of
    its name and could not be asked; `registries` are all connected registries of its cloud registry; `disk` is what
    polls have seen of its disk.
    """

    acr: AcrRef
    registry: ConnectedRegistry
    placement: Placement
    asked_at: Site | None = None
    unasked: tuple[tuple[str, DomainError], ...] = ()
    registries: tuple[ConnectedRegistry, ...] = ()
    disk: tuple[DiskSample, ...] = ()

    @property
    def where(self) -> str:
        """The site or sites where it runs, or its cloud registry."""
        return t(" and ").join(site.name for site in self.placement.sites) or self.acr.name

    @property
    def title(self) -> str:
        """Such as `*edge01* at *berlin*`, or `*edge01* of *contosoacr*` where it runs at no known site; in mrkdwn."""
        return f"{bold(self.registry.name)} {t('at') if self.placement.extensions else t('of')} {bold(self.where)}"

    @property
    def extension(self) -> str:
        """The state of its extension at each site, and how many clusters could not be asked; in mrkdwn."""
        placement = self.placement
        states = [
            escape(f"{extension.provisioning_state} {extension.version}".strip())
            + (t(" at {site}", site=site.name) if len(placement.extensions) > 1 else "")
            for site, extension in placement.extensions
        ]
        if placement.unasked:
            clusters = t("cluster") if len(placement.unasked) == 1 else t("clusters")
            states.append(t("{number} {clusters} could not be asked", number=len(placement.unasked), clusters=clusters))
        return "; ".join(states) or t("not installed at any site")

    @property
    def settings(self) -> tuple[tuple[str, str], ...]:
        """The card's small print as label and value, in mrkdwn; the value may be empty."""
        registry = self.registry
        lifetime = duration(registry.message_ttl) if registry.message_ttl else ""
        collection = t("on, {gc_schedule} UTC", gc_schedule=escape(registry.gc_schedule))
        tokens = listed(code(each.rpartition("/")[2]) for each in registry.client_token_ids)
        return (
            (t("Messages are kept for"), lifetime),
            (t("Runtime"), escape(registry.version)),
            (t("Client tokens"), tokens or t("none")),
            (t("Garbage collection"), {None: "", True: collection, False: t("off")}[registry.gc_enabled]),
            (t("Log level"), escape(registry.log_level)),
            (t("Audit logs"), t("on") if registry.audit_logs else ""),
            (t("Notifications"), listed(code(pattern) for pattern in registry.notifications) or t("none")),
        )

    @property
    def subject(self) -> str:
        """Its name in a command, with a site where one is known."""
        site = next(iter(self.placement.sites), self.asked_at)
        return f"{self.registry.name} --site {site.name}" if site else self.registry.name


def card(detail: Detail, now: datetime) -> Message:
    """One connected registry with its extension."""
    registry, placement = detail.registry, detail.placement
    states = [extension.provisioning_state for _, extension in placement.extensions]
    extension = states[0] if states else ""
    current = health(sighting_of(detail.acr.id, registry, now, extension=extension, samples=detail.disk), now)
    mark = MARKS.get(registry.connection_state.lower(), ":white_circle:")
    if current.state == "unhealthy":
        mark = health_words.mark(current.state)
    name = t("at") if placement.extensions else t("of")
    head = t(
        "{mark}  {title} is {connection_state}",
        mark=mark,
        title=detail.title,
        connection_state=escape(registry.connection_state),
    )
    ago = t(" ({age} ago)", age=duration(now - registry.last_sync)) if registry.last_sync else ""
    pairs = (
        (t("Mode"), escape(registry.mode)),
        (t("Activation"), escape(registry.activation)),
        (t("Last sync"), date(registry.last_sync) + ago if registry.last_sync else t("never")),
        (t("Last full sync"), _sync_result(registry)),
        (t("Schedule"), escape(schedule(registry))),
        (t("Login server at the edge"), code(registry.login_server) or t("none until it is activated")),
        (t("Parent"), escape(_parent(detail.acr, registry))),
        (t("Disk"), health_words.disk(current)),
        (t("Extension"), detail.extension),
    )
    parts = [*elsewhere(detail), blocks.section(head), *_meaning(detail, current), *blocks.fields(pairs)]
    # Small print, so that the verdict on top is still in sight on a phone.
    parts.append(blocks.context("  ·  ".join(f"{bold(label)} {value}" for label, value in detail.settings if value)))
    for each in registry.status_details:
        text = f":warning:  {code(each.code)} {escape(each.description)}"
        if each.available_gib is not None and each.total_gib is not None:
            text += t(
                " {available_gib:g} of {total_gib:g} GiB are free.",
                available_gib=each.available_gib,
                total_gib=each.total_gib,
            )
        parts.append(blocks.section(text))
    parts += namesakes(detail)
    buttons = (
        blocks.button(t("Extension"), runs=f"extension show {detail.subject}"),
        blocks.button(t("Permissions"), runs=f"permissions show {detail.subject}"),
        blocks.button(t("Tokens"), runs=f"token list {detail.subject}"),
    )
    parts.append(blocks.actions(*buttons))
    return Message(
        escape(
            t(
                "{registry} {name} {where} is {connection_state}",
                registry=registry.name,
                name=name,
                where=detail.where,
                connection_state=registry.connection_state,
            )
        ),
        tuple(parts),
    )


def _sync_result(registry: ConnectedRegistry) -> str:
    """In mrkdwn; empty where the service does not say."""
    result = registry.sync_result
    if result is None:
        return ""
    trigger = f" ({escape(result.trigger)})" if result.trigger else ""
    good = ""
    if result.is_failure:
        good = (
            t(", the last good one {succeeded}", succeeded=date(result.succeeded))
            if result.succeeded
            else t(", none was good so far")
        )
    return f"{escape(result.state)}{trigger}{good}"


def schedule(registry: ConnectedRegistry) -> str:
    """When it syncs: the cron expression as it is, which is what operators compare."""
    if registry.schedule == CONTINUOUS:
        return t("continuous")
    return t("{schedule} UTC", schedule=registry.schedule) + (
        t(", open for {window}", window=duration(registry.window)) if registry.window else ""
    )


def namesakes(detail: Detail) -> Iterator[Block]:
    """That another cloud registry may have one of its name."""
    for acr, _ in detail.unasked:
        yield blocks.context(
            t(":grey_question:  {acr} could not be asked, and may have one of this name.", acr=bold(acr))
        )


def elsewhere(detail: Detail) -> Iterator[Block]:
    """That it is not where the reader looked for it."""
    site, placement = detail.asked_at, detail.placement
    if site is None or placement.may_be_at(site) or not placement.extensions:
        return
    clusters = listed(
        t("{name} (site {each})", name=code(each.cluster.name), each=code(each.name)) for each in placement.sites
    )
    text = t(
        "{name} is not at {site}: its extension is on {clusters}.",
        name=bold(detail.registry.name),
        site=bold(site.name),
        clusters=clusters,
    )
    yield blocks.section(f":warning:  {text}")


def _meaning(detail: Detail, current: Health) -> Iterator[Block]:
    """Whether its silence is planned, when it is expected, and what is lost; nothing where the state says it all."""
    if current.reason in {"connected", "syncing"}:
        return
    word = health_words.word(current.state).capitalize()
    yield blocks.section(labelled(bold(word), health_words.reason(current.reason, current.facts)))
    expected = current.next_contact if detail.registry.schedule.strip() not in ("", CONTINUOUS) else None
    losing = current.lost_from if current.state == "offline" else None
    if expected or losing:
        yield blocks.context(
            t("Next contact {expected}", expected=date(expected)) if expected else "",
            t("Undelivered messages expire from {losing:%Y-%m-%d}", losing=losing) if losing else "",
        )
