"""The list of kinds of operation: the only module here that knows them."""

from services.operations.deactivate.procedure import DEACTIVATION
from services.operations.deploy.procedure import DEPLOY
from services.operations.procedure import Procedures

PROCEDURES = Procedures((DEPLOY, DEACTIVATION))
