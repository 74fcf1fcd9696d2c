"""The list of kinds of operation: the only module here that knows them."""

from services.operations.cloud_registry.procedures import ACR_CREATION, ACR_DELETION, ACR_IMPORT, ACR_UPDATE
from services.operations.create.procedure import CREATION
from services.operations.deactivate.procedure import DEACTIVATION
from services.operations.delete.procedure import DELETION
from services.operations.deploy.extension_alone import EXTENSION_DEPLOY
from services.operations.deploy.procedure import DEPLOY
from services.operations.extension_update.procedure import EXTENSION_UPDATE
from services.operations.permissions.procedure import PERMISSIONS
from services.operations.procedure import Procedures
from services.operations.providers.procedure import PROVIDER_REGISTRATION
from services.operations.reinstall.procedure import REINSTALLATION
from services.operations.remove.extension_alone import EXTENSION_DELETION
from services.operations.remove.procedure import REMOVAL
from services.operations.resync.procedure import RESYNC
from services.operations.rollback.procedure import ROLLBACK
from services.operations.token_rotation.procedure import TOKEN_ROTATION
from services.operations.update.procedure import SETTINGS
from services.operations.workload.procedure import DELETE_WORKLOAD, DEPLOY_WORKLOAD, ROTATE_CLIENT_TOKEN

PROCEDURES = Procedures(
    (
        DEPLOY,
        EXTENSION_DEPLOY,
        CREATION,
        DEACTIVATION,
        DELETION,
        REMOVAL,
        EXTENSION_DELETION,
        REINSTALLATION,
        ROLLBACK,
        EXTENSION_UPDATE,
        SETTINGS,
        PERMISSIONS,
        TOKEN_ROTATION,
        RESYNC,
        PROVIDER_REGISTRATION,
        ACR_CREATION,
        ACR_UPDATE,
        ACR_IMPORT,
        ACR_DELETION,
        DEPLOY_WORKLOAD,
        DELETE_WORKLOAD,
        ROTATE_CLIENT_TOKEN,
    )
)
