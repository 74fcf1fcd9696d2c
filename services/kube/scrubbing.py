"""Take secrets out of foreign text (logs, events, messages) before it travels on."""

import re

_GONE = "…"
_PATTERNS = (
    # Pairs of a connection string, settings and environment dumps: SyncTokenPassword=…, "password": "…", AccountKey=…
    re.compile(
        r"(?i)([\w.-]*(?:password|passwd|pwd|secret|accountkey|accesskey|sharedaccesssignature|access_token|refresh_token|client_assertion)"
        r"[\"']?\s*[:=]\s*)(\"[^\"]*\"|'[^']*'|[^\s;,}&]+)"
    ),
    re.compile(r"(?i)(connectionstring[\"']?\s*[:=]\s*)(\"[^\"]*\"|'[^']*'|\S+)"),
    re.compile(r"(?i)((?:authorization:?\s+|\b)(?:bearer|basic)\s+)([A-Za-z0-9+/._~=-]{8,})"),
    re.compile(r"(://[^\s/:@]+:)([^\s/@]+)(?=@)"),
    # The cloud registry's own generated passwords carry this mark.
    re.compile(r"()([A-Za-z0-9+/]{8,}\+ACR[A-Za-z0-9+/=]*)"),
    re.compile(r"([?&](?:sig|s|h|t|code|token)=)([^\s&\"']{16,})"),
)
_JSON_WEB_TOKEN = re.compile(r"eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*")


def scrubbed(text: str) -> str:
    """The text without passwords, connection strings, tokens and signatures."""
    for pattern in _PATTERNS:
        text = pattern.sub(rf"\g<1>{_GONE}", text)
    return _JSON_WEB_TOKEN.sub(_GONE, text)
