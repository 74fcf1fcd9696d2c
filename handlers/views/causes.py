"""Why an operation failed, in words: what happened, and what to do.

What any operation may fail of stands here, a kind's own causes with the kind's words.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from handlers.views import refusals
from handlers.views.facts import sentence, shell, short
from handlers.views.procedures import WORDS, words_of
from handlers.views.procedures.words import CauseWords
from services.model.errors import Failure
from services.operations.causes import EngineCause


@dataclass(frozen=True)
class FailureText:
    """A failure as people read it, in mrkdwn; `line` is for their own shell, plain text, empty where there is none."""

    sentence: str
    remedy: str
    line: str = ""


def render(failure: Failure, kind: str = "", names: Mapping[str, object] | None = None) -> FailureText:
    """The failure of an operation of this kind in words. A cause of another version of the bot stands as its own word.

    `names` are those of the site's things (`Procedure.names`): a line that lacks one is left out.
    """
    words = (
        _refused(failure)
        or words_of(kind).causes.get(failure.cause)
        or CAUSES.get(failure.cause)
        or _of_any_kind(failure.cause)
    )
    facts = {
        **(names or {}),
        "cause": failure.cause,
        **{key: value for key, value in failure.facts.items() if value not in ("", None, ())},
    }
    if target := str(facts.get("target", "")):
        facts["target"] = short(target)
    system = _SYSTEMS.get(str(facts.get("service")), "The other system")
    text = sentence(words.sentence.replace("SYSTEM", system), facts)
    return FailureText(text, sentence(words.remedy, facts), shell(words.line, facts))


def _of_any_kind(cause: str) -> CauseWords:
    """A failure that is shown apart from its operation."""
    known = (words.causes[cause] for words in WORDS.values() if cause in words.causes)
    return next(known, CauseWords("It failed: {cause}.", "Retry; the details are in the bot's log."))


def _refused(failure: Failure) -> CauseWords | None:
    """Words for an error whose code has told the cause, with the system's own words behind them."""
    refusal = refusals.words(str(failure.facts.get("error", "")), str(failure.facts.get("reason", "")))
    if refusal is None:
        return None
    own = " In its words: {message}" if failure.facts.get("message") else ""
    return CauseWords(refusal.sentence + own, refusal.remedy, refusal.line)


_SYSTEMS = {"azure": "Azure", "kubernetes": "The cluster", "slack": "Slack"}

CAUSES: Mapping[str, CauseWords] = {
    EngineCause.STEP_TIMED_OUT: CauseWords(
        "{step} was not done after {minutes} minutes, and nothing says why.",
        "Look at it in Azure and in the cluster; it may still come. Retry goes on from there.",
    ),
    EngineCause.CHILDREN_FAILED: CauseWords(
        "Parts that did not end well: {failed} of {count}. The plan lets {most} pass.",
        "Each part says why. Retry runs those again that did not end well.",
    ),
    EngineCause.INTERRUPTED: CauseWords(
        "The bot had to begin this run again and again, so it gave it up.",
        "The log of the bot says why before each `run_lost`. Retry goes on from the step that was under way.",
    ),
    EngineCause.DEFECT: CauseWords(
        "The bot itself has a defect here ({error}); what is going on in Azure is not touched by it.",
        "The bot's log has the trace. Retry goes on from the failed step.",
    ),
    EngineCause.TIMED_OUT: CauseWords(
        "{target} did not come to an end in time.", "It may still: look at it, then retry."
    ),
    EngineCause.UNREACHABLE: CauseWords(
        "SYSTEM could not be reached: {code} {message}", "Retry when it answers again."
    ),
    EngineCause.NOT_AUTHENTICATED: CauseWords(
        "SYSTEM does not accept the bot's own identity ({code}).", "Renew the bot's credentials, then retry."
    ),
    EngineCause.NOT_ALLOWED: CauseWords(
        "SYSTEM does not let the bot do this: its identity lacks {action}.", "Give it that right, then retry."
    ),
    EngineCause.THROTTLED: CauseWords("SYSTEM was asked too often.", "Retry in a few minutes."),
    EngineCause.ABSENT: CauseWords(
        "SYSTEM says that there is no {target}: {message}",
        "Somebody may have deleted it, or it bears another name. Say the command again for a new plan.",
    ),
    EngineCause.CONFLICT: CauseWords(
        "{target} is in the way, or busy with something else: {message}", "Retry when it is done."
    ),
    EngineCause.REFUSED: CauseWords("SYSTEM said no to {target}: {code} {message}", "Mend what it names, then retry."),
}
