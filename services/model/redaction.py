"""Takes secrets out of texts that others wrote, before they get into an error, a log, a message or the database.

Everything here runs in time that grows with the text's length alone (`python -m bench redaction`): such texts come from
anybody who can type a command, and from every Pod's log.
"""

import re
from collections.abc import Callable, Iterable

REMOVED = "[removed]"
LONGEST = 2000
"""Characters of a foreign text that `short` keeps; what a person can use of it is at its beginning."""
SEARCHED = 4 * LONGEST
"""Characters of a foreign text that `short` looks at."""

_NAMES = (
    r"sync_?token_?password|pass(?:word|wd|phrase)?\d?|pwd|client[_-]?secret|secret|connection_?string"
    r"|shared_?access_?(?:key|signature)|account_?key|access_?key|api_?key|(?:access|refresh|id|bearer)_?token"
    r"|client_?assertion|assertion|sig|signature"
)
_NAME = re.compile(rf"(?i)(?:[\w.-]*[_.-])?(?:{_NAMES}|token)")
_Replacement = str | Callable[[re.Match[str]], str]


def _registry_password(match: re.Match[str]) -> str:
    """The registry's own generated passwords carry the mark `ACR`."""
    run = match[0].rstrip("=")
    marked = run.find("+ACR", 8) >= 0 or 0 <= run.find("ACR", 30) <= len(run) - len("ACR") - 4
    return REMOVED if marked else match[0]


_SHAPES: tuple[tuple[re.Pattern[str], _Replacement], ...] = (
    (re.compile(r"xox[a-z]-[A-Za-z0-9-]+|xapp-[A-Za-z0-9-]+|xwfp-[A-Za-z0-9-]+"), REMOVED),
    (re.compile(r"https://hooks\.slack(?:-gov)?\.com/\S+"), REMOVED),
    (re.compile(r"https?://[^\s/]{1,255}/(?:\S{0,255}/)?(?:response|commands|actions)/T[A-Z0-9]+/\S+"), REMOVED),
    (re.compile(r"(?i)\bConnectedRegistryName=[^\s\"']*"), REMOVED),
    # A query can hold a signature, as those of asynchronous operations do.
    (re.compile(r"(?i)(https?://[^\s?\"'<>]{1,1000})\?[^\s\"'<>]*"), rf"\1?{REMOVED}"),
    (re.compile(r"(://[^\s/:@]{1,255}:)[^\s/@]+(?=@)"), rf"\1{REMOVED}"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}"), rf"\1 {REMOVED}"),
    (re.compile(r"\beyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*){0,4}"), REMOVED),
    # What stands before the name does not matter, and to look for its beginning would take quadratic time.
    (re.compile(rf"(?i)((?:{_NAMES})\\?[\"']\s*[:=]\s*\\?[\"'])[^\"'\\]*"), rf"\1{REMOVED}"),
    (re.compile(rf"(?i)((?:{_NAMES}))(\s*[:=]\s*)(?:\"[^\"]*\"|'[^']*'|[^\s;,}}&\"']+)"), rf"\1\2{REMOVED}"),
    # The look-behind lets a run be tried once, from its beginning.
    (re.compile(r"(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{12,}=*"), _registry_password),
    (re.compile(r"(?<![A-Za-z0-9+:/_=-])[A-Za-z0-9+]{40,}={0,2}(?![A-Za-z0-9+/_=-])"), REMOVED),
)


def scrub(text: str) -> str:
    """The text without what looks like a secret; the word before it (`password=`) stays.

    Digests (`sha256:…`) stay, since they name an image and open nothing.
    """
    for shape, replacement in _SHAPES:
        text = shape.sub(replacement, text)
    return text


def scrub_words(words: Iterable[str]) -> tuple[str, ...]:
    """The words of a command line without what looks like a secret: also not the word behind `--password`."""
    scrubbed: list[str] = []
    is_value = False
    for word in words:
        name, equals, _ = word.partition("=")
        is_secret = word.startswith("-") and bool(_NAME.fullmatch(name.lstrip("-")))
        if is_value and not word.startswith("--"):
            scrubbed.append(REMOVED)
        else:
            scrubbed.append(f"{name}={REMOVED}" if is_secret and equals else scrub(word))
        is_value = (is_secret and not equals) or word.lower() in ("password", "passwd", "secret")
    return tuple(scrubbed)


def short(text: str) -> str:
    """The same on one line, and not too long: for a foreign system's own words in an error."""
    if len(text) > SEARCHED:
        # Not in the middle of a word, which could be a secret that has lost its shape.
        text = text[:SEARCHED].rpartition(" ")[0]
    text = " ".join(scrub(text).split())
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
