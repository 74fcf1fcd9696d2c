"""The sites of a fleet, as somebody would configure them."""

from typing import Any

from sandbox.fleet.fleet import GROUP
from services.policy.sites import Site

SUBSCRIPTION = "22222222-2222-4222-8222-222222222222"


def sites(truth: dict[str, Any]) -> dict[str, dict[str, Site]]:
    """One for each cluster, by the name of its cloud registry and its own; `truth` is `GET /sandbox/fleet`."""
    by_acr: dict[str, dict[str, Site]] = {}
    for name, cluster in truth["clusters"].items():
        acr = cluster["registries"][0].partition("/")[0]
        values = {
            "name": name,
            "environment": "production",
            "subscription": SUBSCRIPTION,
            "resource_group": GROUP,
            "acr": {"name": acr},
            "cluster": {"name": name},
        }
        by_acr.setdefault(acr, {})[name] = Site.model_validate(values)
    return by_acr
