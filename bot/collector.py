"""Where traces go, as the settings have it. Needs none of OpenTelemetry's packages, which are an extra."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import unquote

from services.model.secret import Secret

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


def is_installed() -> bool:
    """Whether the extra `traces` is."""
    try:
        return find_spec(EXTRA) is not None
    except ModuleNotFoundError:  # not even its parent package
        return False
