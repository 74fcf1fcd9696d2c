"""Splits what Slack delivers into words: undoes escapes, phone typography and compatibility forms; handles quotes."""

import re
from collections.abc import Callable, Iterable

from services.model.errors import Invalid

_LINK = re.compile(r"<([^<>|]+)(?:\|([^<>]*))?>")
_SPACES = re.compile(r"\s")
_INVISIBLE = re.compile(r"[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]")
"""Marks without a width: soft hyphens, joiners, directions of right-to-left text, variants of emoji."""
_DOUBLE_QUOTES = str.maketrans(dict.fromkeys("“”„‟«»″＂", '"'))  # noqa: RUF001 - what phones write
_SINGLE_QUOTES = str.maketrans(dict.fromkeys("‘’‚‛′", "'"))  # noqa: RUF001 - likewise
_FULL_WIDTH = str.maketrans({chr(code): chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)})
"""The full-width forms of ASCII that East Asian keyboards write; undone outside of quotes only, which hold prose."""
_DASHES = "—–−‒―‐‑"  # noqa: RUF001 - likewise
_LONG_DASH = re.compile(rf"[-{_DASHES}]*[{_DASHES}][-{_DASHES}]*")
_CONTINUATION = re.compile(r"(?:\\| `)[ \t]*\r?\n")
"""At the end of a line that goes on, in a shell or in PowerShell."""
_BULLET = re.compile(r"^\s*(?:[•◦▪‣·]|(?:[-*>$]|[0-9]{1,3}[.)])\s)\s*")
"""Of a list, a quotation or a shell."""
_LANGUAGE = re.compile(r"^(\s*```)[a-z]+\s*\n")
"""After the marks that begin a block of code, on a line of its own."""
_CODE = re.compile(r"^\s*(`{1,3})\s*(.*?)\s*\1\s*$", re.DOTALL)


def unescape(text: str) -> str:
    """Undo Slack's escapes: people, channels and groups become their ids, links become what was typed."""

    def typed(match: re.Match[str]) -> str:
        target, label = match[1], match[2]
        if target.startswith(("@", "#")):
            return target[1:]
        if target.startswith("!subteam^"):
            return target.removeprefix("!subteam^")
        if target.startswith("!"):
            return label or target[1:]
        # Slack turns any host name into a link; the label is what was typed.
        return label or target

    return _LINK.sub(typed, text).replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _straight(text: str) -> str:
    text = _INVISIBLE.sub("", _SPACES.sub(" ", text))
    return text.translate(_DOUBLE_QUOTES).translate(_SINGLE_QUOTES)


def _plain(word: str) -> str:
    """An unquoted word in ASCII, without code marks, and with plain dashes for those that a phone made of `--` or `-`.

    A long dash at the start becomes two dashes before a name, and one before a single letter or a number.
    """
    word = word.translate(_FULL_WIDTH)
    if len(word) > 2 and word[0] == word[-1] == "`":  # noqa: PLR2004 - marks around at least one letter
        word = word.strip("`")
    match = _LONG_DASH.match(word)
    if not match:
        return word
    option = word[match.end() :]
    name = option.partition("=")[0]
    return ("-" if len(name) == 1 or name[:1].isdigit() else "--") + option


def words(text: str, *, typed: bool = True) -> tuple[str, ...]:
    """The words of a command. Text that was not `typed` (a button's value, a form) has no escapes to undo.

    Quotes group words at the start of a word or after `=`; an apostrophe within a word is a letter. Raises `Invalid`
    for a quote that is never closed.
    """
    if typed:
        text = _straight(_CONTINUATION.sub(" ", _LANGUAGE.sub(r"\1", unescape(text))))
        # A line that was pasted from a chat or a page may still have its code marks or its bullet.
        text = _CODE.sub(r"\2", _BULLET.sub("", text))
    result: list[str] = []
    at = 0
    while at < len(text):
        if text[at] == " ":
            at += 1
            continue
        word, at = _word(text, at, _plain if typed else str)
        result.append(word)
    return tuple(result)


def _word(text: str, at: int, plain: Callable[[str], str]) -> tuple[str, int]:
    if text[at] in "\"'":
        return _quoted(text, at)
    start = at
    while at < len(text) and text[at] != " ":
        if text[at] in "\"'" and at > start and plain(text[at - 1]) == "=":
            value, end = _quoted(text, at)
            return plain(text[start:at]) + value, end
        at += 1
    return plain(text[start:at]), at


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
    """The word, quoted if necessary so that `words` reads it back."""
    if word and not re.search(r"[\s\"'`]", word) and word == _plain(_straight(word)) and not _BULLET.match(word):
        return word
    inner = word.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{inner}"'


def join(parts: Iterable[str]) -> str:
    """Words as a line to type."""
    return " ".join(quote(word) for word in parts)
