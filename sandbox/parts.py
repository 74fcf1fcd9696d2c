"""Which parts there are, and where they listen."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

PartName = Literal["slack", "azure", "kube", "edge"]
PARTS: tuple[PartName, ...] = ("slack", "azure", "kube", "edge")


@dataclass(frozen=True)
class Ports:
    """The first port of each part; 0 lets the system choose."""

    slack: int = 0
    """Also used for the control API when Slack isn't started."""
    azure: int = 0
    kube: int = 0
    registries: int = 0

    @classmethod
    def from_base(cls, base: int) -> Self:
        """The default ports relative to a base port; all 0 for 0."""
        return cls(base, base + 1, base + 10, base + 30) if base else cls()


@dataclass(frozen=True)
class Upstream:
    """The Azure and the clusters of an edge agent that runs alone."""

    azure_url: str
    kubeconfig: Path
    ca_file: Path | None = None
