"""Why an operation failed, in words: what happened, and what to do.

Causes that any kind of operation may have are here; a kind's own causes are with its words.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from handlers.kit.language import phrase, t
from handlers.views import refusals
from handlers.views.facts import command_line, sentence, shell, short
from handlers.views.procedures import WORDS, words_of
from handlers.views.procedures.words import CauseWords
from services.model.errors import Failure
from services.operations.causes import EngineCause


@dataclass(frozen=True)
class FailureText:
    """A failure as people read it, in mrkdwn. `line` is plain text for their own shell, `command` one of the bot's.

    `cure` is the part of the remedy that needs no operation that could be retried; it may be empty.
    """

    sentence: str
    remedy: str
    line: str = ""
    command: str = ""
    cure: str = ""


def render(failure: Failure, kind: str = "", names: Mapping[str, object] | None = None) -> FailureText:
    """The failure of an operation of this kind in words. A cause of another version of the bot is shown as it is.

    `names` are the names at the site (`Procedure.names`); a command line that needs a missing one is left out.
    """
    refusal = refusals.words(*(str(failure.facts.get(key, "")) for key in ("error", "reason", "code")))
    if refusal is not None:
        # The error's code has the cause; the system's own message follows it.
        message = t(" Its message: {message}") if failure.facts.get("message") else ""
        own = words_of(kind).causes.get(failure.cause)
        words = CauseWords(t(refusal.sentence) + message, refusal.remedy, refusal.line, own.command if own else "")
    else:
        # A failure that is shown without its operation has no kind: any kind's words for the cause are right then.
        causes = [words_of(kind).causes, CAUSES, *(words.causes for words in WORDS.values())]
        unknown = CauseWords("It failed: {cause}.", "Retry; the details are in the bot's log.")
        words = next((known[failure.cause] for known in causes if failure.cause in known), unknown)
        if failure.cause == EngineCause.NOT_ALLOWED and not failure.facts.get("action"):
            words = _NO_RIGHT_NAMED
        if failure.facts.get("error") and failure.facts.get("message") and "{message}" not in words.sentence:
            words = replace(words, sentence=t(words.sentence) + t(" Its message: {message}"))
    facts = {
        **(names or {}),
        "cause": failure.cause,
        **{key: value for key, value in failure.facts.items() if value not in ("", None, ())},
    }
    if target := str(facts.get("target", "")):
        facts["target"] = short(target)
    system = t(SYSTEMS.get(str(facts.get("service")), phrase("The other system")))
    text = sentence(t(words.sentence).replace("SYSTEM", system), facts)
    cure, retry = sentence(words.remedy, facts), sentence(words.retry, facts)
    remedy = f"{cure} {retry}".strip()
    line = shell(words.line, facts if refusal is None else {**facts, **refusals.place(failure.facts)})
    helps = not words.needs or failure.facts.get(words.needs)
    command = command_line(words.command, facts) if helps else ""
    return FailureText(text, remedy, line, command, cure)


SYSTEMS = {"azure": phrase("Azure"), "kubernetes": phrase("The cluster"), "slack": phrase("Slack")}

CAUSES: Mapping[str, CauseWords] = {
    EngineCause.STEP_TIMED_OUT: CauseWords(
        "{step} did not finish within {minutes} minutes, and nothing says why.",
        "Look at it in Azure and in the cluster; it may still finish. Retry continues from there.",
    ),
    EngineCause.CHILDREN_FAILED: CauseWords(
        "{failed} of {count} parts failed. The plan tolerates {most}.",
        "Each part says why. Retry runs the failed parts again.",
    ),
    EngineCause.INTERRUPTED: CauseWords(
        "The bot had to restart this run repeatedly, so it gave up.",
        "The bot's log gives the reason before each `run_lost`. Retry continues from the interrupted step.",
    ),
    EngineCause.DEFECT: CauseWords(
        "The bot itself has a defect here ({error}). Work that is already running in Azure is not affected.",
        "The bot's log has the traceback. Retry continues from the failed step.",
    ),
    EngineCause.TIMED_OUT: CauseWords(
        "{target} did not finish in time.", "It may still finish: look at it, then retry."
    ),
    EngineCause.UNREACHABLE: CauseWords(
        "SYSTEM could not be reached, or failed itself: {code} {message}", "Retry when it answers again."
    ),
    EngineCause.NOT_AUTHENTICATED: CauseWords(
        "SYSTEM rejects the bot's own identity ({code}).",
        "Fix what it names, or renew the bot's credentials. Then retry.",
    ),
    EngineCause.NOT_ALLOWED: CauseWords(
        "SYSTEM does not let the bot do this: its identity lacks {action}.", "Grant it that right, then retry."
    ),
    EngineCause.THROTTLED: CauseWords("SYSTEM throttled the bot's requests.", "Retry in a few minutes."),
    EngineCause.ABSENT: CauseWords(
        "SYSTEM says that there is no {target}: {message}",
        "Somebody may have deleted or renamed it. Run the command again for a new plan.",
    ),
    EngineCause.CONFLICT: CauseWords(
        "Something is in the way of this change of {target}: {code} {message}",
        "Fix what it names, or wait until that has finished. Then retry.",
    ),
    EngineCause.REFUSED: CauseWords(
        "SYSTEM refused this for {target}: {code} {message}", "Fix what it names, then retry."
    ),
}

_NO_RIGHT_NAMED = CauseWords(
    "SYSTEM does not let the bot do this: {code} {message}",
    "Fix what it names: a right that the bot's identity lacks, or a network rule. Then retry.",
)


def page() -> str:
    """docs/failures.md."""
    lines = [
        "# Why operations fail",
        "",
        "Generated by `python -m bot docs` from `handlers/views`. The card of a failed operation says why it failed,",
        "what to do, and what was left behind. A command of the bot that mends the cause is a button on the card: it",
        "is planned and approved as if it had been typed, and asks first where there is something to choose. Retry",
        "continues from the step that failed. [The catalogue](failure-catalogue.md) says which known failures are",
        "recognised, and which are mended so.",
    ]
    sections = {"Any operation": CAUSES}
    for causes in {id(words.causes): words.causes for words in WORDS.values() if words.causes}.values():
        # Kinds that have the same steps share their causes.
        kinds = [f"`{kind}`" for kind, words in WORDS.items() if words.causes is causes]
        sections[", ".join(kinds)] = causes
    for heading, causes in sections.items():
        lines += ["", f"## {heading}", ""]
        lines += ["| it failed because | what to do | in a shell | button |", "|---|---|---|---|"]
        for words in causes.values():
            remedy = f"{words.remedy} {words.retry}".strip()
            sentences = [words.sentence.replace("SYSTEM", "Azure or the cluster"), remedy]
            prose = [re.sub(r"\{(\w+)\}", r"*\1*", text) for text in sentences]
            typed = [f"`{line}`" if line else "" for line in (words.line, words.command)]
            lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in (*prose, *typed)) + " |")
    return "\n".join(lines) + "\n"
