"""Takes secrets out of texts that come from Azure, before they get into an error, a log or the database."""

import re
from collections.abc import Callable

GONE = "[removed]"
LONGEST = 2000
"""Characters of a foreign text that are kept; what a person can use of it is at its beginning."""

_NAMES = (
    r"sync_?token_?password|pass(?:word|wd|phrase)?\d?|client[_-]?secret|secret|connection_?string|shared_?access_?key"
    r"|account_?key|api_?key|(?:access|refresh|id|bearer)_?token|client_?assertion|sig|signature"
)
_Replacement = str | Callable[[re.Match[str]], str]
_PATTERNS: tuple[tuple[re.Pattern[str], _Replacement], ...] = (
    # A query can hold a signature, as those of asynchronous operations do.
    (re.compile(r"(?i)(https?://[^\s?\"'<>]+)\?[^\s\"'<>]*"), rf"\1?{GONE}"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}"), rf"\1 {GONE}"),
    (re.compile(r"\beyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*){0,4}"), GONE),
    (re.compile(rf"(?i)(\\?[\"'](?:{_NAMES})\\?[\"']\s*:\s*\\?[\"'])[^\"'\\]*"), rf"\1{GONE}"),
    (re.compile(rf"(?i)\b({_NAMES})(\s*=\s*)[\"']?[^\s;,&\"']+[\"']?"), rf"\1\2{GONE}"),
    # The registry's own generated passwords carry this mark.
    (re.compile(r"[A-Za-z0-9+/]{8,}\+ACR[A-Za-z0-9+/=]*"), GONE),
    (re.compile(r"(?<![A-Za-z0-9+:/_=-])[A-Za-z0-9+]{40,}={0,2}(?![A-Za-z0-9+/_=-])"), GONE),
)


def scrubbed(text: str) -> str:
    """The text without passwords, tokens and signed queries, on one line and not too long.

    Digests (`sha256:…`) stay, since they name an image and open nothing.
    """
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    text = " ".join(text.split())
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
