"""The audit as people read it: a page of rows, an export. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from handlers.kit import blocks
from handlers.kit.blocks import button
from handlers.kit.language import phrase, t
from handlers.kit.message import File, Message
from handlers.kit.text import bold, code, count, cut, date, escape, listed
from handlers.views.facts import short
from handlers.views.operation import step_title
from handlers.views.procedures import words_of
from services.model.audit import AuditEntry, AuditRow, AuditSelection
from services.model.plan import PlannedStep

_TOGETHER = 5
"""Rows in one section, which holds 3,000 characters."""
_LONGEST = 250
"""Characters of what somebody typed that a row shows; an export has all of it."""
_MARKS = {"done": "•", "denied": ":no_entry_sign:", "failed": ":x:"}
_FAILURES = {
    "NotFound": phrase("it named what does not exist"),
    "Invalid": phrase("a value was not valid"),
    "Stale": phrase("it came too late"),
    "Deadline": phrase("there was no answer in time"),
    "Unreachable": phrase("something could not be asked"),
}
"""By the class of an error, where its name says too little."""
_DECIDED = {
    "start": phrase("asked for"),
    "approve": phrase("approved"),
    "withdraw": phrase("no longer counts an approval of"),
    "reject": phrase("rejected"),
    "cancel": phrase("cancelled"),
    "retry": phrase("retried"),
    "expire": phrase("ended, since nobody had decided in time,"),
    "acknowledge": phrase("acknowledged"),
    "snooze": phrase("snoozed"),
}
"""By the second word of a decision's text."""


def page(entries: Sequence[AuditEntry], selection: AuditSelection, *, turns: str, first: bool, more: bool) -> Message:
    """A page of rows, newest first.

    Args:
        entries: The rows.
        selection: What was asked for.
        turns: The command of the paging buttons.
        first: Whether these are the newest rows.
        more: Whether there are older ones.
    """
    if not entries:
        return nothing(selection)
    head = t("{title}{selection}, newest first", title=bold(t("Audit")), selection=_narrowed(selection))
    lines = []
    for entry in entries:
        row, words = entry.row, _WORDS[entry.row.kind](entry.row)
        lines.append(f"{_MARKS.get(row.outcome, '•')}  {date(row.at)}  {words}  ·  #{entry.number}")
    sections = ["\n".join(lines[at : at + _TOGETHER]) for at in range(0, len(lines), _TOGETHER)]
    turning = blocks.actions(
        None if first else button(t("Newest"), runs=turns),
        button(t("Older"), runs=f"{turns} --before {entries[-1].number}") if more else None,
        button(t("Export"), runs=f"{turns} --export"),
    )
    text = t("Audit: {rows}, newest first", rows=count(len(entries), "row"))
    return Message(text, (*map(blocks.section, (head, *sections)), turning))


def nothing(selection: AuditSelection) -> Message:
    """No row matches."""
    text = t("The audit has no rows{selection}.", selection=_narrowed(selection) or t(" yet"))
    return Message(text, (blocks.section(text),))


def exported(selection: AuditSelection, rows: int, file: File) -> Message:
    """A selection as a file for the person who asked."""
    text = t(
        "{title}{selection}: {rows}, oldest first",
        title=bold(t("Audit")),
        selection=_narrowed(selection),
        rows=count(rows, "row"),
    )
    meaning = t(
        "Each line is one row with its hash and the hash of the row before it."
        " `python -m bot audit verify` on the bot's machine checks that no row was changed or is missing."
    )
    sections = (blocks.section(text), blocks.context(meaning))
    return Message(t("Audit: {rows}", rows=count(rows, "row")), sections, visibility="direct", file=file)


def _narrowed(selection: AuditSelection) -> str:
    """What the selection is narrowed to, such as ` by bob at berlin`; empty where it is not."""
    parts = (
        t(" by {by}", by=code(cut(selection.by, 100))) if selection.by else "",
        t(" at {sites}", sites=listed(map(code, sorted(selection.sites)))) if selection.sites else "",
        t(" about {operation}", operation=code(cut(selection.operation, 100))) if selection.operation else "",
        t(" since {since}", since=date(selection.since)) if selection.since else "",
    )
    return "".join(parts)


def _who(row: AuditRow) -> str:
    return t("the bot") if row.person == "bot" else row.name or row.person


def _command(row: AuditRow) -> str:
    typed, result = code(cut(row.text, _LONGEST)) or t("an empty command"), str(row.facts.get("result", ""))
    match row.outcome:
        case "denied":
            return t(
                "{who} was not allowed to run {typed} (rule {rule})",
                who=bold(_who(row)),
                typed=typed,
                rule=code(row.rule),
            )
        case "failed":
            return t(
                "{who} ran {typed}, which failed: {result}",
                who=bold(_who(row)),
                typed=typed,
                result=t(_FAILURES[result]) if result in _FAILURES else code(result),
            )
    return t("{who} ran {typed}", who=bold(_who(row)), typed=typed)


def _decision(row: AuditRow) -> str:
    noun, _, verb = row.text.rpartition(" ")[0].partition(" ")
    decided = t(_DECIDED[verb]) if verb in _DECIDED else escape(verb)
    if noun == "alert":
        subject = row.facts.get("subject")
        about = t(" about {subject}", subject=escape(short(str(subject)))) if subject else ""
        return t(
            "{who} {decided} the alert {alert}{about}",
            who=bold(_who(row)),
            decided=decided,
            alert=code(row.text.rpartition(" ")[2]),
            about=about,
        )
    details = (
        t("plan {digest}", digest=code(str(row.facts["digest"]))) if row.facts.get("digest") else "",
        t("rule {rule}", rule=bold(row.rule)) if row.rule else "",
        t("a dry run") if row.facts.get("dry_run") else "",
        t("reason: {reason}", reason=escape(cut(" ".join(str(row.facts["reason"]).split()), _LONGEST)))
        if row.facts.get("reason")
        else "",
    )
    return f"{bold(_who(row))} {decided} {_operation(row)}{_bracketed(details)}"


def _write(row: AuditRow) -> str:
    facts: Mapping[str, Any] = row.facts
    title = cut(row.text, _LONGEST)
    # Rows stay for years: an older version's lack parameters, or lack one that today's title names.
    with suppress(KeyError):
        title = step_title(facts["kind"], PlannedStep(facts["step"], facts["params"], facts["effect"]))
    approvers = listed(escape(each["name"]) for each in facts.get("approved_by", ()))
    details = (
        t("plan {digest}", digest=code(facts["digest"])) if facts.get("digest") else "",
        t("approved by {approvers}", approvers=approvers) if approvers else "",
    )
    failed = t(" failed,") if row.outcome == "failed" else ""
    return t(
        "{title}{failed} for {who}: {operation}{details}",
        title=bold(title),
        failed=failed,
        who=bold(_who(row)),
        operation=_operation(row),
        details=_bracketed(details),
    )


def _bracketed(details: Iterable[str]) -> str:
    text = t(", ").join(filter(None, details))
    return t(" ({details})", details=text) if text else ""


_WORDS = {"command": _command, "decision": _decision, "write": _write}
"""A row in words, by its kind."""


def _operation(row: AuditRow) -> str:
    """Its title and id; rows of older versions have the id alone."""
    if "target" not in row.facts:
        return code(row.operation)
    title = t(words_of(str(row.facts["kind"])).title, target=row.facts["target"], site=row.site)
    return f"{escape(title)} {code(row.operation)}"
