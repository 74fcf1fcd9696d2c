"""Every step that the plan of a deployment may name, each declared once."""

from services.operations.acr_steps import CREATE_ACR, IMPORT_IMAGE, REGISTER_PROVIDERS
from services.operations.arrival_steps import ARRIVED, READER_STEPS
from services.operations.deploy.steps import cluster, connected, extension
from services.operations.step import Step

STEPS: tuple[Step, ...] = (
    cluster.HOLD_ADDRESS,
    cluster.RESERVE_ADDRESS,
    REGISTER_PROVIDERS,
    CREATE_ACR,
    connected.ENABLE_DATA_ENDPOINT,
    IMPORT_IMAGE,
    connected.PUT_SCOPE_MAP,
    connected.PUT_SYNC_TOKEN,
    connected.CREATE,
    extension.INSTALL,
    cluster.VERIFY,
    connected.ONLINE,
    connected.SYNCED,
    *READER_STEPS,
    ARRIVED,
)
