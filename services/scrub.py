"""Known shapes of secrets taken out of text: the last line of defence, for texts that others wrote."""

import re

GONE = "[secret]"

_SHAPES = (
    re.compile(r"xox[a-z]-[A-Za-z0-9-]+|xapp-[A-Za-z0-9-]+|xwfp-[A-Za-z0-9-]+"),
    re.compile(r"(?i)\b(?:ConnectedRegistryName=[^\s\"']*)"),
    re.compile(
        r"(?i)((?:sync_?token_?password|password|client_?secret|secret|connection_?string|sig|assertion)=)[^\s&;\"',]+"
    ),
    re.compile(
        r"(?i)([\"'](?:password|client_?secret|connectionString|access_?token|refresh_?token|id_?token)[\"']\s*:\s*[\"'])"
        r"[^\"']+"
    ),
    re.compile(r"(?i)(\bbearer\s+)[A-Za-z0-9._~+/=-]{16,}"),
    re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"),
    re.compile(r"https://hooks\.slack(?:-gov)?\.com/\S+"),
    re.compile(r"https?://\S+/(?:response|commands|actions)/T[A-Z0-9]+/\S+"),
    # ACR token passwords: 52 letters and digits with ACR's marker near the end
    re.compile(r"\b[A-Za-z0-9+/]{30,}\+?ACR[A-Za-z0-9+/]{4,}=*"),
)


def scrub(text: str) -> str:
    """`text` without what looks like a secret; the word before it (`password=`) stays."""
    for shape in _SHAPES:
        text = shape.sub(lambda found: (found[1] if found.re.groups and found[1] else "") + GONE, text)
    return text
