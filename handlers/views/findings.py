"""The findings of preflight checks in words: one sentence, how to fix the problem, and the command line that does.

The words for a code are with its kind of operation; those for a check that got no answer are here.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from handlers.views import refusals
from handlers.views.facts import sentence, shell
from handlers.views.procedures import words_of
from handlers.views.procedures.words import FindingWords
from services.model.plan import Finding
from services.operations.checks import UNASKED

Level = Literal["ok", "warning", "blocker", "unknown"]
ICONS: dict[Level, str] = {
    "ok": ":white_check_mark:",
    "warning": ":warning:",
    "blocker": ":no_entry:",
    "unknown": ":grey_question:",
}
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
    else:
        words = words_of(kind).findings.get(finding.code) or FindingWords(finding.code.replace("_", " "))
    return FindingText(
        finding.level,
        ICONS[finding.level],
        sentence(words.sentence, finding.facts),
        sentence(words.fix, finding.facts),
        shell(words.line, finding.facts),
        shell(words.command, finding.facts),
    )


def ordered(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Most urgent first; otherwise in the order of the checks."""
    return tuple(sorted(findings, key=lambda finding: _ORDER.index(finding.level)))


def _unasked(finding: Finding) -> FindingWords:
    """Why a check has no answer: the bot's own identity, or the connection to the other system."""
    system = "The cluster" if finding.facts.get("service") == "kubernetes" else "Azure"
    words = _UNASKED.get(str(finding.facts.get("error")), _UNASKED["Unreachable"])
    if refusal := refusals.words(str(finding.facts.get("error")), str(finding.facts.get("reason") or "")):
        message = " Its message: {message}" if finding.facts.get("message") else ""
        words = FindingWords(
            f"The check {{title}} has no result. {refusal.sentence}{message}", refusal.remedy, refusal.line
        )
    if finding.facts.get("error") == "NotAllowed" and not finding.facts.get("action"):
        words = _NOT_ALLOWED
    if finding.facts.get("code") in _KUBECONFIG:
        words = _KUBECONFIG[str(finding.facts["code"])]
    return FindingWords(words.sentence.replace("SYSTEM", system), words.fix, words.line, "check {site}")


_UNASKED = {
    "Unreachable": FindingWords(
        "SYSTEM could not be reached, so the check {title} has no result ({code}: {message}).",
        "This may be temporary; check again.",
    ),
    "NotAuthenticated": FindingWords(
        "SYSTEM rejects the bot's identity ({code}), so the check {title} has no result.",
        "Renew the bot's credentials and check again.",
    ),
    "NotAllowed": FindingWords(
        "SYSTEM does not let the bot check {title}: the bot's own identity lacks {action}.",
        "Whoever runs the bot has to grant its identity that right.",
    ),
    "Throttled": FindingWords(
        "SYSTEM throttles the bot's requests, so the check {title} has no result.", "Check again in a minute."
    ),
    "Refused": FindingWords("SYSTEM refused to answer the check {title} ({code}: {message}).", "Check again."),
}
_NOT_ALLOWED = FindingWords(
    "SYSTEM does not let the bot check {title} ({code}: {message}).",
    "Whoever runs the bot has to grant its identity that right.",
)
_KUBECONFIG = {
    "KubeconfigMissing": FindingWords(
        "There is no kubeconfig at {target}, so the cluster can't be reached.",
        "Set `cluster.kubernetes.kubeconfig` in the site file, or put the file there.",
    ),
    "KubeconfigInvalid": FindingWords(
        "The kubeconfig {target} can't be used: {message}.", "Fix the file and check again."
    ),
    "ContextMissing": FindingWords(
        "The kubeconfig has no such context: {target}.",
        "Set `cluster.kubernetes.context` in the site file to one that `kubectl config get-contexts` lists.",
    ),
    "CredentialPluginFailed": FindingWords(
        "The kubeconfig's credential plugin returned no credentials ({message}).",
        "Run the plugin by hand as the bot's user to see why.",
    ),
}
