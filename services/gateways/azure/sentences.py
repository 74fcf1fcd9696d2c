"""Azure's own sentences, taken out of the frames around them: what an error body says, the innermost text first.

The extension service wraps Helm's words (terraform-provider-azurerm#24547, azure-cli-extensions#5477): a generic frame,
a generic recommendation, links, and the cause last, in an inner error. Older answers have braces for brackets.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.gateways.azure.codes import FRAMES, entry
from services.model.redaction import short

DEEPEST = 12
"""Levels of inner errors that are followed; an answer that nests deeper is not Azure's."""

_OPENING = re.compile(r"\b(?:inner)?error\s*:?\s*([\[{])|\berr\s+([\[{])", re.IGNORECASE)
_CLOSING = {"[": "]", "{": "}"}
_FRAME = re.compile(
    r"The extension operation failed with the following error:"
    r"|occurred while doing the operation\s*:\s*[\[{][^\]}]*[\]}]\s*on the config"
    r"|release \S+ failed, and has been uninstalled due to atomic being set:"
    r"|failed with the following error:",
    re.IGNORECASE,
)
_RECOMMENDATION = re.compile(r"\s*:?\s*Recommendation\b.*", re.IGNORECASE | re.DOTALL)
_LINK, _NO_LINK = r"(?:https?://|aka\.ms/)\S*", r"(?:(?!https?://|aka\.ms/)[^.;])"
_LINKED = re.compile(
    rf"(?:^|(?<=[.,;:]))\s*(?:For|Please|See|Troubleshooting)\b{_NO_LINK}{{0,200}}(?:{_LINK}{_NO_LINK}*)+[.;]?",
    re.IGNORECASE,
)
"""A sentence that sends people to a web page."""
_POLICY_NAMES = (
    "policyAssignmentDisplayName",
    "policyDefinitionDisplayName",
    "policyAssignmentName",
    "policyDefinitionName",
)
_LONGEST_PARAMETERS = 200
"""Characters of what a policy was assigned with; a list of allowed regions can be long."""
_LEFT, _RIGHT = " :,;.-", " :,;-"


@dataclass(frozen=True)
class Sentence:
    """What an error says: the code that decides, the outermost code, and the text, scrubbed and unwrapped."""

    code: str
    outer: str
    text: str


def sentence(body: str) -> Sentence | None:
    """What an ARM error body says; None when it is no JSON object, so not ARM's."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(content, dict):
        return None
    error = _member(content, "error") or content
    if isinstance(error, dict):
        return of_error(error)
    # Entra's form: `error` is the code.
    return Sentence(str(error), str(error), short(str(_member(content, "error_description") or "")))


def _member(content: Mapping[str, Any], name: str) -> Any:
    """A member in whatever case: some providers write `Code` and `Message`. None where it is missing."""
    return next((value for key, value in content.items() if key.casefold() == name), None)


def _message(error: Mapping[str, Any]) -> str:
    """The text of an error; OData has it in an object with its language."""
    message = _member(error, "message")
    text = _member(message, "value") if isinstance(message, dict) else message
    return text if isinstance(text, str) else ""


def of_error(error: Mapping[str, Any]) -> Sentence:
    """What one `{code, message, details, innererror}` object says."""
    levels = list(_levels(error, 0))
    codes = [code for code, _ in levels if code]
    outer = codes[0] if codes else ""
    decisive = next((code for code in codes[1:] if entry(code)), outer) if outer.casefold() in FRAMES else outer
    # Innermost first; a text that repeats another one's words adds nothing.
    texts: list[str] = []
    for _, message in reversed(levels):
        text = unwrapped(message)
        if text and not any(text in inner or inner in text for inner in texts):
            texts.append(text)
    # Before the text, which lists the ids of all policies and may be cut where it is shown.
    policies = dict.fromkeys(_policies(error))
    return Sentence(decisive, outer, short(_joined([*policies, *texts])))


def unwrapped(message: str) -> str:
    """A message without frames, recommendations and links; the innermost part first, the outer ones behind it."""
    parts = []
    for part in _inside_out(message, 0):
        bare = _LINKED.sub("", _RECOMMENDATION.sub("", _FRAME.sub(" ", part)))
        bare = " ".join(bare.split()).lstrip(_LEFT).rstrip(_RIGHT)
        if re.search(r"\w{2}", bare) and bare not in parts:
            parts.append(bare)
    # A message that is nothing but frame stays as it came.
    return _joined(parts) or " ".join(message.split())


def _joined(texts: Sequence[str]) -> str:
    """Texts as sentences behind each other; the last one keeps its own end."""
    return " ".join(text if text[-1] in ".!?" or text is texts[-1] else f"{text}." for text in texts)


def _levels(error: Mapping[str, Any], depth: int) -> Iterator[tuple[str, str]]:
    """Code and message of an error and of everything inside it, outermost first."""
    message = _message(error)
    inner = _embedded(message)
    yield str(_member(error, "code") or ""), "" if inner else message
    if depth >= DEEPEST:
        return
    details = _member(error, "details")
    below = [inner, _member(error, "innererror"), *(details if isinstance(details, list) else ())]
    for item in below:
        if isinstance(item, dict):
            yield from _levels(item, depth + 1)


def _embedded(message: str) -> Mapping[str, Any] | None:
    """The error that a provider's answer, quoted whole as the message, holds (acs-engine#4037)."""
    if not message.lstrip().startswith("{"):
        return None
    try:
        content = json.loads(message)
    except (ValueError, RecursionError):
        return None
    error = content.get("error", content) if isinstance(content, dict) else None
    return error if isinstance(error, dict) and ("code" in error or "message" in error) else None


def _inside_out(text: str, depth: int) -> list[str]:
    """The text of the innermost bracket first. Only brackets after `Error`, `InnerError` or `err` are frames."""
    opening = _OPENING.search(text) if depth < DEEPEST else None
    if opening is None:
        return [text]
    bracket = opening[1] or opening[2]
    start, level, end = opening.end(), 1, len(text)
    for at in range(start, len(text)):
        level += (text[at] == bracket) - (text[at] == _CLOSING[bracket])
        if not level:
            end = at
            break
    outside = f"{text[: opening.start()]} {text[end + 1 :]}"
    return [*_inside_out(text[start:end], depth + 1), *_inside_out(outside, depth + 1)]


def _policies(error: Mapping[str, Any], depth: int = 0) -> Iterator[str]:
    """The policies that forbid a request, each with what it was assigned with, such as the tag that it requires.

    They stand beside the message (`additionalInfo`), of a frame in its details (Learn: common-deployment-errors).
    """
    infos = _member(error, "additionalinfo")
    for each in infos if isinstance(infos, list) else ():
        info = each.get("info") if isinstance(each, dict) and each.get("type") == "PolicyViolation" else None
        if isinstance(info, dict) and (name := next((str(info[key]) for key in _POLICY_NAMES if info.get(key)), "")):
            values = info.get("policyAssignmentParameters")
            yield f"Policy: {name}{_parameters(values) if isinstance(values, dict) else ''}"
    details = _member(error, "details")
    if depth < DEEPEST:
        for detail in details if isinstance(details, list) else ():
            if isinstance(detail, dict):
                yield from _policies(detail, depth + 1)


def _parameters(values: Mapping[str, Any]) -> str:
    """Such as ` (tagName: cost-center)`; without those that are no texts, and without the effect, which is known."""
    texts = []
    for name, parameter in values.items():
        value = parameter.get("value") if isinstance(parameter, dict) else parameter
        words = [word for word in (value if isinstance(value, list) else [value]) if isinstance(word, str) and word]
        if words and name.casefold() != "effect":
            texts.append(f"{name}: {', '.join(words)}")
    text = "; ".join(texts)
    return f" ({text[:_LONGEST_PARAMETERS]})" if text else ""
