"""The words of each kind of operation, one module per kind."""

from collections.abc import Mapping

from handlers.views.procedures import (
    cloud_registry,
    create,
    deactivate,
    delete,
    deploy,
    extension_update,
    permissions,
    providers,
    reinstall,
    remove,
    resync,
    rollback,
    token_rotation,
    update,
    workload,
)
from handlers.views.procedures.words import ProcedureWords

WORDS: Mapping[str, ProcedureWords] = {
    "deploy": deploy.WORDS,
    "extension deploy": deploy.EXTENSION_WORDS,
    "create": create.WORDS,
    "deactivate": deactivate.WORDS,
    "delete": delete.WORDS,
    "remove": remove.WORDS,
    "operation rollback": rollback.WORDS,
    "extension reinstall": reinstall.WORDS,
    "extension update": extension_update.WORDS,
    "extension delete": remove.EXTENSION_WORDS,
    "update": update.WORDS,
    "permissions": permissions.WORDS,
    "resync": resync.WORDS,
    "token rotate": token_rotation.WORDS,
    "provider register": providers.WORDS,
    "acr create": cloud_registry.CREATE_WORDS,
    "acr update": cloud_registry.UPDATE_WORDS,
    "acr import": cloud_registry.IMPORT_WORDS,
    "acr delete": cloud_registry.DELETE_WORDS,
    "workload deploy": workload.DEPLOY_WORDS,
    "workload delete": workload.DELETE_WORDS,
    "workload rotate": workload.ROTATE_WORDS,
}
"""By kind."""


def words_of(kind: str) -> ProcedureWords:
    """The words of a kind; generic ones for a kind that only another version of the bot has."""
    return WORDS.get(kind) or ProcedureWords(kind.capitalize() + " {target} at {site}", "done")
