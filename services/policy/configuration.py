"""The site file and the access file as values."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from services.policy.access import Policy
from services.policy.sites import Site


@dataclass(frozen=True)
class FixedConfiguration:
    """A configuration that does not change."""

    sites: Mapping[str, Site]
    policy: Policy
    site_lines: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
