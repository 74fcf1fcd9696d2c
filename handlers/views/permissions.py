"""Sync permissions as people see them. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from handlers.kit import blocks
from handlers.kit.language import t
from handlers.kit.message import Block, Message
from handlers.kit.text import bold, code, count, escape, labelled, listed
from handlers.views.connected import Detail, elsewhere, namesakes
from services.operations.command_line import acr_options, command_line, scope_options
from services.policy.hierarchy import ancestors, descendants
from services.policy.sites import SCOPE_MAP_PERMISSIONS, synced_repositories
from services.policy.sync_permissions import Lineage, Shortfall, SyncAccess, grants, split

PAGE = 25
"""Rows on one page of the table."""
MOST_ABOVE = 10
"""Columns for those above it: Slack's tables have at most 20."""
MOST_SHORTFALLS = 8
MOST_NAMED = 10
"""Permissions that a sentence names."""
LONGEST_LINE = 2500
"""Characters of a command line that a message takes."""
Subject = tuple[str, str]
"""`repositories` or `gateway`, and whose."""


def card(
    detail: Detail, family: Lineage, page: int, *, hidden: frozenset[str] = frozenset(), slash: str = "/registry"
) -> Message:
    """The verdict, where permissions are missing and the lines that add them, then who may do what.

    `hidden` are the names, in lower case, of connected registries that the reader may not see; none is in `family`.
    """
    own, shortfalls = family.own, [one for each in family.shortfalls if (one := _visible(each, hidden)).actions]
    relatives = (*ancestors(own.registry, detail.registries), *descendants(own.registry, detail.registries))
    unseen = sum(relative.name.casefold() in hidden for relative in relatives)
    if not own.registry.token_id:
        text = t(
            "{title} has no sync token. With a managed identity, its roles at the cloud registry say what it"
            " may sync, and no scope map does.",
            title=detail.title,
        )
        return Message(
            escape(t("{own} has no sync token", own=own.name)),
            (*elsewhere(detail), blocks.section(text), *namesakes(detail)),
        )
    repositories = synced_repositories(own.actions)
    text = t(
        "{title} may sync {repositories}",
        title=detail.title,
        repositories=count(len(repositories), "repository", "repositories"),
    )
    mark = ":warning:" if shortfalls or not own.actions else ":white_check_mark:"
    above = ""
    if family.above and not shortfalls and not unseen:
        below = count(len(family.below), "connected registry", "connected registries")
        above = t(
            " Those above have every permission that it{need}.",
            need=t(" and {below} below it need", below=below) if family.below else t(" needs"),
        )
    parts = [*elsewhere(detail), blocks.section(f"{mark}  {labelled(text, _usage(own))}.{above}")]
    parts += _missing(detail, family, shortfalls, slash)
    holders = [_holder(own, ""), *(_holder(access, t(" above it")) for access in family.above)]
    if family.below:
        names = [f"{bold(access.name)} ({escape(access.registry.mode)}, {_usage(access)})" for access in family.below]
        holders.append(t("Below it: {names}", names=listed(names)))
    parts.append(blocks.section("\n".join(holders)))
    if unseen:
        noun = count(unseen, "connected registry", "connected registries")
        parts.append(
            blocks.context(t("{noun} above or below it at sites that you may not read: not looked at.", noun=noun))
        )
    if rows := _rows(family, hidden):
        columns = (
            t("Repository or gateway"),
            own.name,
            *(t("{name} (above)", name=one.name) for one in family.above[:MOST_ABOVE]),
        )
        columns = (*columns, t("Needed below by")) if family.below else columns
        turns = f"permissions show {own.name}" + (f" --site {detail.asked_at.name}" if detail.asked_at else "")
        pages = blocks.pages_of_rows(columns, rows, PAGE)
        parts += blocks.paged(t("*Permissions*"), columns, pages, page, turns=f"{turns} --turn")
    parts += namesakes(detail)
    return Message(escape(labelled(own.name, _usage(own))), tuple(parts))


def _missing(detail: Detail, family: Lineage, shortfalls: Sequence[Shortfall], slash: str) -> Iterator[Block]:
    """Where permissions are missing, with the lines that add them, and what the bot itself can add."""
    for shortfall in shortfalls[:MOST_SHORTFALLS]:
        yield from _shortfall(detail, shortfall)
    if len(shortfalls) > MOST_SHORTFALLS:
        yield blocks.context(t("{number} more scope maps lack permissions.", number=len(shortfalls) - MOST_SHORTFALLS))
    site = next(iter(detail.placement.sites), detail.asked_at)
    missing_above = synced_repositories(
        action for shortfall in shortfalls if shortfall.holder in family.above for action in shortfall.actions
    )
    # The bot adds no patterns.
    repositories = synced_repositories(family.own.actions)
    lacking = [name for name in repositories if name in missing_above and "*" not in name]
    if site and lacking:
        added = " ".join(lacking[:MOST_NAMED])
        line = f"{slash} permissions add {family.own.name} {added} --site {site.name}"
        yield blocks.context(
            t("{line} gives those above the rights on these repositories, with a plan.", line=code(line))
        )


def _usage(access: SyncAccess) -> str:
    if access.scope_map is None:
        return t("it has no scope map")
    return t("{number} of at most {most} permissions", number=len(access.actions), most=SCOPE_MAP_PERMISSIONS)


def _visible(shortfall: Shortfall, hidden: frozenset[str]) -> Shortfall:
    """Without what names a connected registry that the reader may not see."""
    named = {f"gateway/{name}" for name in hidden}
    actions = (action for action in shortfall.actions if "/".join(split(action)[:2]) not in named)
    return replace(shortfall, actions=tuple(actions))


def _shortfall(detail: Detail, shortfall: Shortfall) -> Iterator[Block]:
    holder, actions = shortfall.holder, shortfall.actions
    needing = [
        bold(name) if name != holder.name else t("{name} itself", name=bold(name)) for name in shortfall.needed_by
    ]
    if holder.scope_map is None:
        return  # `_holder` says what is missing instead
    further = [t("{number} more", number=len(actions) - MOST_NAMED)] if len(actions) > MOST_NAMED else []
    named = listed([*map(code, actions[:MOST_NAMED]), *further])
    verb = t("needs") if len(needing) == 1 else t("need")
    text = t(
        ":warning:  The scope map {name} of {holder} lacks {permissions} that {needing} {verb}: {named}.",
        name=code(holder.scope_map.name),
        holder=bold(holder.name),
        permissions=count(len(actions), "permission"),
        needing=listed(needing),
        verb=verb,
        named=named,
    )
    room = SCOPE_MAP_PERMISSIONS - len(holder.actions)
    if len(actions) > room:
        yield blocks.section(
            t("{text} There is room for {room} more: take others away from it first.", text=text, room=room)
        )
        return
    update = command_line("az acr scope-map update", name=holder.scope_map.name, **acr_options(detail.acr))
    line = f"{update} {scope_options(actions, 'add_')}"
    yield blocks.section(t("{text} To add them:", text=text) if len(line) <= LONGEST_LINE else text)
    if len(line) <= LONGEST_LINE:
        yield blocks.rich(blocks.preformatted(line))


def _holder(access: SyncAccess, where: str) -> str:
    name, _, token_name = access.name, *access.registry.token_id.rpartition("/")[1:]
    head = f"{bold(name)}{where} ({escape(access.registry.mode)})"
    if not token_name:
        return t("{head} has no sync token.", head=head)
    if access.token is None:
        return t(
            ":warning:  {head} has the sync token {token_name}, which does not exist any more.",
            head=head,
            token_name=code(token_name),
        )
    token = t("sync token {token_name}", token_name=code(token_name)) + (
        "" if access.token.enabled else t(", which is disabled")
    )
    if access.scope_map is None:
        scope_map = access.token.scope_map_id.rpartition("/")[2]
        reason = (
            t("its scope map {scope_map} does not exist any more", scope_map=code(scope_map))
            if scope_map
            else t("it has no scope map")
        )
        return t(":warning:  {head}: {token}; {reason}, so it may do nothing.", head=head, token=token, reason=reason)
    mark = "" if access.token.enabled else ":warning:  "
    return t(
        "{mark}{head}: {token}, scope map {name}, {access}",
        mark=mark,
        head=head,
        token=token,
        name=code(access.scope_map.name),
        access=_usage(access),
    )


def _rows(family: Lineage, hidden: frozenset[str]) -> list[tuple[str, ...]]:
    """A row for each repository, then for each gateway, that it or one below it may use."""
    needed: dict[Subject, set[str]] = {}
    users: dict[Subject, list[str]] = {}
    for access in (family.own, *family.below):
        for kind, name, verb in map(split, access.needed):
            if kind == "gateway" and name in hidden:
                continue
            needed.setdefault((kind, name), set()).add(verb)
            if access is not family.own and access.name not in users.setdefault((kind, name), []):
                users[kind, name].append(access.name)

    def cell(holder: SyncAccess, kind: str, name: str) -> str:
        verbs = {verb: grants(holder.actions, f"{kind}/{name}/{verb}") for verb in sorted(needed[kind, name])}
        has = ", ".join(verb for verb, granted in verbs.items() if granted)
        lacks = ", ".join(verb for verb, granted in verbs.items() if not granted)
        return "; ".join(filter(None, [has, t("lacks {lacks}", lacks=lacks) if lacks else ""]))

    subjects = sorted(needed, key=lambda subject: (subject[0] == "gateway", subject))
    holders = (family.own, *family.above[:MOST_ABOVE])
    return [
        (
            t("gateway {name}", name=name) if kind == "gateway" else name,
            *(cell(holder, kind, name) for holder in holders),
            *([", ".join(users.get((kind, name), ()))] if family.below else []),
        )
        for kind, name in subjects
    ]
