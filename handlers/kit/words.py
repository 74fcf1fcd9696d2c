"""From what Slack delivers to words: escapes and phone typography undone, quotes understood."""

import re
from collections.abc import Callable, Iterable

from services.model.errors import Invalid

_LINK = re.compile(r"<([^<>|]+)(?:\|([^<>]*))?>")
_SPACES = re.compile(r"[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000\t\r\n]")
_INVISIBLE = re.compile(r"[\u200b-\u200f\u2060\ufeff\u00ad]")
_DOUBLE_QUOTES = str.maketrans(dict.fromkeys("“”„‟«»″", '"'))
_SINGLE_QUOTES = str.maketrans(dict.fromkeys("‘’‚‛′", "'"))  # noqa: RUF001 - likewise
_DASHES = "—–−‒―‐‑"  # noqa: RUF001 - likewise
_LONG_DASH = re.compile(rf"[-{_DASHES}]*[{_DASHES}][-{_DASHES}]*")


def _link(found: re.Match[str]) -> str:
    target, label = found[1], found[2]
    if target.startswith(("@", "#")):
        return target[1:]
    if target.startswith("!subteam^"):
        return target.removeprefix("!subteam^")
    if target.startswith("!"):
        return label or target[1:]
    # Slack makes a link of any host name; the label is what was typed.
    return label or target


def unescape(text: str) -> str:
    """Slack's own escapes undone: people, channels and groups become their ids, links what was typed."""
    return _LINK.sub(_link, text).replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _straight(text: str) -> str:
    text = _INVISIBLE.sub("", _SPACES.sub(" ", text))
    return text.translate(_DOUBLE_QUOTES).translate(_SINGLE_QUOTES)


def _dashes(word: str) -> str:
    """A dash that a phone made of `--` or `-` at a word's start: two before a name, one before a letter."""
    match = _LONG_DASH.match(word)
    if not match:
        return word
    name_and_value = word[match.end() :]
    name = name_and_value.partition("=")[0]
    return ("-" if len(name) == 1 or name[:1].isdigit() else "--") + name_and_value


def words(text: str, *, typed: bool = True) -> tuple[str, ...]:
    """The words of a command. What was not `typed` (a button's value, a form) has no escapes and no typography to undo.

    Quotes group at the start of a word or after `=`; an apostrophe within a word is a letter. Raises `Invalid` for a
    quote that is never closed.
    """
    if typed:
        text = _straight(unescape(text))
    found: list[str] = []
    at = 0
    while at < len(text):
        if text[at] == " ":
            at += 1
            continue
        word, at = _word(text, at, _dashes if typed else str)
        found.append(word)
    return tuple(found)


def _word(text: str, at: int, mended: Callable[[str], str]) -> tuple[str, int]:
    if text[at] in "\"'":
        return _quoted(text, at)
    start = at
    while at < len(text) and text[at] != " ":
        if text[at] in "\"'" and text[at - 1] == "=":
            value, end = _quoted(text, at)
            return mended(text[start:at]) + value, end
        at += 1
    return mended(text[start:at]), at


def _quoted(text: str, at: int) -> tuple[str, int]:
    mark = text[at]
    letters: list[str] = []
    at += 1
    while at < len(text) and text[at] != mark:
        if text[at] == "\\" and text[at + 1 : at + 2] in (mark, "\\"):
            at += 1
        letters.append(text[at])
        at += 1
    if at >= len(text):
        raise Invalid("text", text, "quote.open", {"mark": mark})
    return "".join(letters), at + 1


def quote(word: str) -> str:
    """A word as it has to be typed so that `words` reads it back."""
    if word and not re.search(r"[\s\"']", word) and word == _dashes(_straight(word)):
        return word
    inner = word.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{inner}"'


def join(several: Iterable[str]) -> str:
    """Words as a line to type."""
    return " ".join(quote(word) for word in several)
