"""Every step that the plan of a deployment may name, each declared once."""

from services.operations.deploy.steps import acr, cluster, connected, extension
from services.operations.step import Step

STEPS: tuple[Step, ...] = (
    cluster.HOLD_ADDRESS,
    cluster.RESERVE_ADDRESS,
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
