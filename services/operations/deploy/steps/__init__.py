"""The vocabulary of change: every step that a plan may name, each declared once."""

from collections.abc import Mapping
from typing import Any

from services.model.plan import PlannedStep
from services.operations.deploy.steps import acr, cluster, connected, extension
from services.operations.step import Done, Going, Progress, Scene, Step
from services.policy.sites import Site

STEPS: Mapping[str, Step] = {
    step.kind: step
    for step in (
        cluster.HOLD_ADDRESS,
        acr.REGISTER_PROVIDERS,
        acr.CREATE_ACR,
        acr.ENABLE_DATA_ENDPOINT,
        acr.IMPORT_IMAGE,
        acr.PUT_SCOPE_MAP,
        acr.PUT_SYNC_TOKEN,
        connected.CREATE,
        extension.INSTALL,
        cluster.VERIFY,
        connected.ONLINE,
        connected.SYNCED,
    )
}


def title(step: PlannedStep) -> str:
    """What people read about a planned step."""
    return STEPS[step.kind].title.format_map(step.params)


def command_line(step: PlannedStep, site: Site, name: str, service_ip: str = "") -> str:
    """The command line that a person would have typed instead; `service_ip` is what the run holds or would hold."""
    params: Mapping[str, Any] = {**step.params, "service_ip": service_ip}
    return STEPS[step.kind].line(site, name, params)


__all__ = ["STEPS", "Done", "Going", "Progress", "Scene", "Step", "command_line", "title"]
