"""Where traces go, as the settings have it. Needs none of OpenTelemetry's packages, which are an extra."""

import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import unquote

from services.model.secret import Secret

DEADLINE = 10.0
"""Seconds for one try."""
EXTRA = "opentelemetry.exporter.otlp.proto.http"


@dataclass(frozen=True)
class Collector:
    """An OTLP/HTTP receiver. `headers` are written as in `OTEL_EXPORTER_OTLP_HEADERS`: `name=value`, with commas."""

    url: str
    headers: Secret | None = None
    ca_file: Path | None = None

    def header_values(self) -> Mapping[str, str]:
        """The headers by name."""
        pairs = self.headers.reveal().split(",") if self.headers else []
        return {
            name.strip(): unquote(value.strip())
            for name, _, value in (pair.partition("=") for pair in pairs)
            if name.strip()
        }

    def try_out(self) -> int:
        """The HTTP status of an export without spans. Blocks; raises `OSError` when nobody answers."""
        context = ssl.create_default_context()
        if self.ca_file is not None:
            context.load_verify_locations(self.ca_file)
        headers = {"Content-Type": "application/x-protobuf", **self.header_values()}
        # The settings let http and https through, and nothing else.
        request = urllib.request.Request(self.url, b"", headers, method="POST")  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=DEADLINE, context=context) as answer:  # noqa: S310
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code


def is_installed() -> bool:
    """Whether the extra `traces` is."""
    try:
        return find_spec(EXTRA) is not None
    except ModuleNotFoundError:  # not even its parent package
        return False
