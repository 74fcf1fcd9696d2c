"""The words of each kind of operation, one module per kind."""

from collections.abc import Mapping

from handlers.views.procedures import (
    create,
    deactivate,
    delete,
    deploy,
    permissions,
    remove,
    resync,
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
    "extension delete": remove.EXTENSION_WORDS,
    "update": update.WORDS,
    "permissions": permissions.WORDS,
    "resync": resync.WORDS,
    "token rotate": token_rotation.WORDS,
    "workload deploy": workload.DEPLOY_WORDS,
    "workload delete": workload.DELETE_WORDS,
}
"""By kind."""


def words_of(kind: str) -> ProcedureWords:
    """The words of a kind; generic ones for a kind that only another version of the bot has."""
    return WORDS.get(kind) or ProcedureWords(kind.capitalize() + " {target} at {site}", "done")
