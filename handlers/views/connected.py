"""Connected registries as people see them. Pure."""

from collections.abc import Iterator
from datetime import datetime

from handlers.kit import blocks
from handlers.kit.message import Block, Message
from handlers.kit.text import bold, code, date, duration, escape, listed
from handlers.views import errors
from handlers.views import health as health_words
from services.model.azure import ConnectedRegistry, Extension
from services.model.errors import DomainError
from services.policy.sites import CONTINUOUS, Site
from services.watching.health import health, is_continuous, sighting_of

MARKS = {"online": ":large_green_circle:", "syncing": ":arrows_counterclockwise:", "unhealthy": ":large_orange_circle:"}
_ROWS = 99


def listing(
    found: tuple[tuple[str, ConnectedRegistry], ...], unasked: tuple[tuple[str, DomainError], ...], now: datetime
) -> Message:
    """One table over all cloud registries that could be asked, the others named below it."""
    shown = [_unasked(name, error) for name, error in unasked]
    if not found:
        text = "There are no connected registries." if not unasked else "No cloud registry could be asked."
        return Message(text, (blocks.section(text), *shown))
    columns = ("Name", "Health", "State", "Activation", "Last sync", "Schedule", "Mode", "Cloud registry", "Parent")
    rows = [
        (
            one.name,
            health_words.word(health(sighting_of("", one, now), now).state),
            one.connection_state,
            one.activation,
            f"{duration(now - one.last_sync)} ago" if one.last_sync else "never",
            schedule(one),
            one.mode,
            registry,
            one.parent,
        )
        for registry, one in found[:_ROWS]
    ]
    if len(found) > _ROWS:
        shown.append(blocks.context(f"and {len(found) - _ROWS} more: name a site with {code('list --site SITE')}"))
    online = sum(one.connection_state.lower() in {"online", "syncing"} for _, one in found)
    return Message(f"{len(found)} connected registries, {online} online", (blocks.table(columns, rows), *shown))


def _unasked(name: str, error: DomainError) -> Block:
    return blocks.section(f":grey_question:  {bold(name)} could not be asked. {errors.explanation(error)}")


def schedule(one: ConnectedRegistry) -> str:
    """When it syncs: the cron expression as it is, which is what operators compare."""
    if one.schedule == CONTINUOUS:
        return "continuous"
    return f"{one.schedule} UTC" + (f", open for {duration(one.window)}" if one.window else "")


def card(site: Site, one: ConnectedRegistry, extensions: tuple[Extension, ...] | DomainError, now: datetime) -> Message:
    """One connected registry with its extension."""
    mark = MARKS.get(one.connection_state.lower(), ":white_circle:")
    head = f"{mark}  {bold(one.name)} at {bold(site.name)} is {escape(one.connection_state)}"
    ago = f" ({duration(now - one.last_sync)} ago)" if one.last_sync else ""
    pairs = (
        ("Mode", escape(one.mode)),
        ("Activation", escape(one.activation)),
        ("Last sync", date(one.last_sync) + ago if one.last_sync else "never"),
        ("Schedule", escape(schedule(one))),
        ("Login server at the edge", code(one.login_server) or "none until it is activated"),
        ("Parent", escape(one.parent) or f"{escape(site.acr_ref.name)} (the cloud registry)"),
        ("Messages are kept for", duration(one.message_ttl) if one.message_ttl else ""),
        ("Runtime", escape(one.version)),
        ("Client tokens", listed(code(each.rpartition("/")[2]) for each in one.client_token_ids) or "none"),
        ("Extension", _extension(one.name, extensions)),
    )
    shown = [blocks.section(head), *_meaning(site, one, extensions, now), blocks.fields(pairs)]
    told = (f":warning:  {code(detail.code)} {escape(detail.description)}" for detail in one.status_details)
    shown.extend(map(blocks.section, told))
    return Message(escape(f"{one.name} at {site.name} is {one.connection_state}"), tuple(shown))


def _meaning(
    site: Site, one: ConnectedRegistry, extensions: tuple[Extension, ...] | DomainError, now: datetime
) -> Iterator[Block]:
    """Whether its silence is planned, when it is expected, and what is lost; nothing where the state says it all."""
    known = () if isinstance(extensions, DomainError) else extensions
    states = [each.provisioning_state for each in known if each.name.lower() == one.name.lower()]
    seen = sighting_of(site.acr_ref.id, one, now, extension=states[0] if states else "")
    found = health(seen, now)
    if found.reason in {"connected", "syncing"}:
        return
    word = health_words.word(found.state).capitalize()
    yield blocks.section(f"{bold(word)}: {health_words.reason(found.reason, found.facts)}")
    expected = found.next_contact if not is_continuous(seen) else None
    losing = found.lost_from if found.state == "offline" else None
    if expected or losing:
        yield blocks.context(
            f"Next contact {date(expected)}" if expected else "",
            f"Messages are lost from {losing:%Y-%m-%d}" if losing else "",
        )


def _extension(name: str, extensions: tuple[Extension, ...] | DomainError) -> str:
    if isinstance(extensions, DomainError):
        return "could not be asked"
    found = next((one for one in extensions if one.name.lower() == name.lower()), None)
    return escape(f"{found.provisioning_state} {found.version}".strip()) if found else "not installed"
