"""Tokens as people see them; no password, which Azure never shows. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from handlers.kit import blocks
from handlers.kit.language import phrase, t
from handlers.kit.message import Message
from handlers.kit.text import code, count, duration, escape, listed
from handlers.views.connected import Detail, elsewhere, namesakes
from services.model.azure import PasswordSlot, Token

SOON = timedelta(days=30)
"""An expiry that is nearer comes first."""
SLOTS = ("password1", "password2")
COLUMNS = (
    phrase("Token"),
    phrase("Use"),
    phrase("Status"),
    phrase("Scope map"),
    phrase("Password 1"),
    phrase("Password 2"),
    phrase("Linked"),
)


@dataclass(frozen=True)
class _Row:
    """A token of the list; `token` is None for one that the connected registry names and Azure does not have."""

    name: str
    token: Token | None
    use: str
    linked: str
    trouble: str

    @property
    def urgency(self) -> tuple[int, int, str]:
        """Troubles first, then the sync token."""
        place = _TROUBLES.index(self.trouble) if self.trouble else len(_TROUBLES)
        return place, self.use != "sync", self.name


_PASSWORD_TROUBLES = (
    phrase("with an expired password"),
    phrase("with a password that expires soon"),
    phrase("without a password"),
)
_TROUBLES = (phrase("deleted"), phrase("disabled"), *_PASSWORD_TROUBLES)
"""The worst first."""


def listing(detail: Detail, tokens: Iterable[Token], now: datetime, *, slash: str = "/registry") -> Message:
    """One table, a row for each token that is the connected registry's or is named after it."""
    rows = sorted(_rows(detail, tokens, now), key=lambda row: row.urgency)
    title = detail.title
    if not rows:
        text = t("{title} has no token: no client may pull from it, and it has no sync token either.", title=title)
        return Message(
            escape(t("No tokens of {name}", name=detail.registry.name)), (*elsewhere(detail), blocks.section(text))
        )
    totals = Counter(row.trouble for row in rows)
    troubles = [f"{totals[trouble]} {t(trouble)}" for trouble in _TROUBLES if totals[trouble]]
    mark = ":warning:" if troubles else ":white_check_mark:"
    head = t("{mark}  {title} has {tokens}", mark=mark, title=title, tokens=count(len(rows), "token")) + (
        f": {listed(troubles)}" if troubles else ""
    )
    table = blocks.table(COLUMNS, [_cells(row, now) for row in rows])
    note = blocks.context(t("Linked tokens are those with which clients sign in at the edge. Times are in UTC."))
    registry, sites = detail.registry, detail.placement.sites
    # A rotation wants a runtime that gets the password, and no registry above.
    may_rotate = sites and registry.activation == "Active" and not registry.parent
    rotates = may_rotate and any(row.use == "sync" and row.trouble in _PASSWORD_TROUBLES for row in rows)
    rotation = f"{slash} token rotate {registry.name} --site {sites[0].name}" if rotates else ""
    hint = (
        [blocks.context(t("{rotation} gives it a new sync password without a gap.", rotation=code(rotation)))]
        if rotation
        else []
    )
    parts = (*elsewhere(detail), blocks.section(head), table, *hint, note, *namesakes(detail))
    return Message(escape(t("{tokens} of {name}", tokens=count(len(rows), "token"), name=detail.registry.name)), parts)


def _rows(detail: Detail, tokens: Iterable[Token], now: datetime) -> Iterable[_Row]:
    registry = detail.registry
    by_name = {token.name.casefold(): token for token in tokens}
    sync, clients = _last(registry.token_id), tuple(map(_last, registry.client_token_ids))
    others: defaultdict[str, list[str]] = defaultdict(list)
    for other in detail.registries:
        if other.name != registry.name:
            for name in {_last(token_id).casefold() for token_id in (other.token_id, *other.client_token_ids)}:
                others[name].append(other.name)
    named_after = [name for name in by_name if name.startswith(f"{registry.name.casefold()}-")]
    for name in dict.fromkeys(filter(None, (sync.casefold(), *(one.casefold() for one in clients), *named_after))):
        token = by_name.get(name)
        written = next((one for one in (sync, *clients) if one.casefold() == name), name)
        use = "sync" if name == sync.casefold() else "client" if name in {one.casefold() for one in clients} else ""
        linked = {"sync": t("as sync token"), "client": t("yes")}.get(use, t("no"))
        if others[name]:
            linked += t(", also to {others}", others=listed(others[name]))
        yield _Row(token.name if token else written, token, use, linked, _trouble(token, now))


def _trouble(token: Token | None, now: datetime) -> str:
    if token is None:
        return "deleted"
    if not token.enabled:
        return "disabled"
    expiries = [slot.expires for slot in token.passwords if slot.expires]
    if any(expires <= now for expires in expiries):
        return phrase("with an expired password")
    if any(expires - now <= SOON for expires in expiries):
        return phrase("with a password that expires soon")
    return "" if token.passwords else phrase("without a password")


def _cells(row: _Row, now: datetime) -> tuple[str, ...]:
    token = row.token
    if token is None:
        return (row.name, row.use, t("does not exist any more"), "", "", "", row.linked)
    slots = {slot.name.casefold(): slot for slot in token.passwords}
    return (
        row.name,
        row.use or t("none"),
        t("enabled") if token.enabled else t("disabled"),
        _last(token.scope_map_id) or t("none"),
        *(_slot(slots.get(name), now) for name in SLOTS),
        row.linked,
    )


def _slot(slot: PasswordSlot | None, now: datetime) -> str:
    if slot is None:
        return t("none")
    created = t("created {created:%Y-%m-%d %H:%M}, ", created=slot.created) if slot.created else ""
    if slot.expires is None:
        return t("{created}never expires", created=created)
    if slot.expires <= now:
        return t("{created}expired {expires:%Y-%m-%d %H:%M}", created=created, expires=slot.expires)
    span = slot.expires - now
    left = count(span.days, "day") if span.days else duration(span)
    return t("{created}expires in {left}", created=created, left=left)


def _last(arm_id: str) -> str:
    return arm_id.rpartition("/")[2]
