"""The findings of preflight checks in words: one sentence, how to fix the problem, and the command line that does.

The words for a code are with its kind of operation; those for a check that got no answer are here.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from handlers.kit.language import t
from handlers.kit.text import listed
from handlers.views import refusals
from handlers.views.facts import command_line, sentence, shell
from handlers.views.procedures import words_of
from handlers.views.procedures.words import FindingWords
from services.model.plan import Finding, Plan
from services.operations.checks import UNASKED, UNPROVEN

Level = Literal["ok", "warning", "blocker", "unknown"]
ICONS: dict[Level, str] = {
    "ok": ":white_check_mark:",
    "warning": ":warning:",
    "blocker": ":no_entry:",
    "unknown": ":grey_question:",
}
MOST_TITLES = 3
"""Checks that are named where one obstacle keeps many from an answer."""
_ORDER: tuple[Level, ...] = ("blocker", "unknown", "warning", "ok")


@dataclass(frozen=True)
class FindingText:
    """A finding as people read it. `line` is for their own shell; `command` is run by one of the bot's buttons."""

    level: Level
    icon: str
    sentence: str
    fix: str = ""
    line: str = ""
    command: str = ""


def render(finding: Finding, kind: str) -> FindingText:
    """A finding of this kind's checks in mrkdwn; `line` and `command` are plain text, or empty."""
    if finding.code == UNASKED:
        words = _unasked(finding)
    elif finding.code == UNPROVEN:
        words = FindingWords(
            t(
                "The bot has no access to the cluster of {{site}} (`access: none` in the site file), so it asks Azure"
                " alone.\nNot looked at: {proofs}.",
                proofs=_proofs(finding),
            ),
            "Somebody with access to the cluster can look at it.",
        )
    else:
        words = words_of(kind).findings.get(finding.code) or FindingWords(finding.code.replace("_", " "))
    line_facts = {**finding.facts, **refusals.place(finding.facts)} if finding.code == UNASKED else finding.facts
    return FindingText(
        finding.level,
        ICONS[finding.level],
        sentence(words.sentence, finding.facts),
        sentence(words.fix, finding.facts),
        shell(words.line, line_facts),
        command_line(words.command, finding.facts),
    )


def unproven(plan: Plan | None) -> str:
    """What a plan has no proof of, since its site gives no access to its cluster; empty where it does."""
    return t("; ").join(_proofs(finding) for finding in plan.findings if finding.code == UNPROVEN) if plan else ""


def ordered(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Most urgent first; otherwise in the order of the checks."""
    return tuple(sorted(findings, key=lambda finding: _ORDER.index(finding.level)))


def _unasked(finding: Finding) -> FindingWords:
    """Why checks have no answer: the bot's own identity, or the connection to the other system."""
    system = t("The cluster") if finding.facts.get("service") == "kubernetes" else t("Azure")
    words = _UNASKED.get(str(finding.facts.get("error")), _UNASKED["Unreachable"])
    facts = {key: str(finding.facts.get(key) or "") for key in ("error", "reason", "code")}
    if refusal := refusals.words(**facts):
        message = t(" Its message: {message}") if finding.facts.get("message") else ""
        words = FindingWords(t(refusal.sentence) + message, refusal.remedy, refusal.line)
    if finding.facts.get("error") == "NotAllowed" and not finding.facts.get("action"):
        words = _NOT_ALLOWED
    # `title` is what older versions stored.
    titles = finding.facts.get("titles") or finding.facts.get("title") or ()
    names = [t(str(title)) for title in titles] if isinstance(titles, tuple | list) else [t(str(titles))]
    if len(names) > MOST_TITLES + 1:
        names[MOST_TITLES:] = [t("{number} more", number=len(names) - MOST_TITLES)]
    # Braces in a template stay braces.
    unchecked = listed(names).replace("{", "{{").replace("}", "}}")
    text = t(
        "{sentence}\nNot checked: {unchecked}.",
        sentence=t(words.sentence).replace("SYSTEM", system),
        unchecked=unchecked,
    )
    return FindingWords(text, words.fix, words.line, "check {site}")


def _proofs(finding: Finding) -> str:
    proofs = finding.facts.get("proofs")
    return listed(t(str(proof)) for proof in proofs) if isinstance(proofs, tuple | list) else ""


_UNASKED = {
    "Unreachable": FindingWords(
        "SYSTEM could not be reached ({code}: {message}).", "This may be temporary; check again."
    ),
    "NotAuthenticated": FindingWords(
        "SYSTEM rejects the bot's identity ({code}: {message}).",
        "Fix what it names, or renew the bot's credentials. Then check again.",
    ),
    "NotAllowed": FindingWords(
        "SYSTEM does not let the bot look: its own identity lacks {action}.",
        "Whoever runs the bot has to grant its identity that right.",
    ),
    "Throttled": FindingWords("SYSTEM throttles the bot's requests.", "Check again in a minute."),
    "Refused": FindingWords("SYSTEM refused to answer ({code}: {message}).", "Check again."),
}
_NOT_ALLOWED = FindingWords(
    "SYSTEM does not let the bot look ({code}: {message}).",
    "Whoever runs the bot has to grant its identity that right.",
)
