"""Takes secrets out of texts that others wrote, before they get into an error, a log, a message or the database."""

import re
from collections.abc import Callable

GONE = "[removed]"
LONGEST = 2000
"""Characters of a foreign text that `short` keeps; what a person can use of it is at its beginning."""

_NAMES = (
    r"sync_?token_?password|pass(?:word|wd|phrase)?\d?|pwd|client[_-]?secret|secret|connection_?string"
    r"|shared_?access_?(?:key|signature)|account_?key|access_?key|api_?key|(?:access|refresh|id|bearer)_?token"
    r"|client_?assertion|assertion|sig|signature"
)
_Replacement = str | Callable[[re.Match[str]], str]
_SHAPES: tuple[tuple[re.Pattern[str], _Replacement], ...] = (
    (re.compile(r"xox[a-z]-[A-Za-z0-9-]+|xapp-[A-Za-z0-9-]+|xwfp-[A-Za-z0-9-]+"), GONE),
    (re.compile(r"https://hooks\.slack(?:-gov)?\.com/\S+"), GONE),
    (re.compile(r"https?://\S+/(?:response|commands|actions)/T[A-Z0-9]+/\S+"), GONE),
    (re.compile(r"(?i)\bConnectedRegistryName=[^\s\"']*"), GONE),
    # A query can hold a signature, as those of asynchronous operations do.
    (re.compile(r"(?i)(https?://[^\s?\"'<>]+)\?[^\s\"'<>]*"), rf"\1?{GONE}"),
    (re.compile(r"(://[^\s/:@]+:)[^\s/@]+(?=@)"), rf"\1{GONE}"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}"), rf"\1 {GONE}"),
    (re.compile(r"\beyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*){0,4}"), GONE),
    (re.compile(rf"(?i)(\\?[\"'][\w.-]*(?:{_NAMES})\\?[\"']\s*[:=]\s*\\?[\"'])[^\"'\\]*"), rf"\1{GONE}"),
    (re.compile(rf"(?i)\b([\w.-]*(?:{_NAMES}))(\s*[:=]\s*)(?:\"[^\"]*\"|'[^']*'|[^\s;,}}&\"']+)"), rf"\1\2{GONE}"),
    # The registry's own generated passwords carry this mark.
    (re.compile(r"[A-Za-z0-9+/]{8,}\+ACR[A-Za-z0-9+/=]*"), GONE),
    (re.compile(r"\b[A-Za-z0-9+/]{30,}\+?ACR[A-Za-z0-9+/]{4,}=*"), GONE),
    (re.compile(r"(?<![A-Za-z0-9+:/_=-])[A-Za-z0-9+]{40,}={0,2}(?![A-Za-z0-9+/_=-])"), GONE),
)


def scrub(text: str) -> str:
    """The text without what looks like a secret; the word before it (`password=`) stays.

    Digests (`sha256:…`) stay, since they name an image and open nothing.
    """
    for shape, replacement in _SHAPES:
        text = shape.sub(replacement, text)
    return text


def short(text: str) -> str:
    """The same on one line, and not too long: for a foreign system's own words in an error."""
    text = " ".join(scrub(text).split())
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
