"""When a cause that is seen ends a step: at once where it can't pass by itself, else only when it lasts."""

from datetime import timedelta

from services.diagnosis import Cause
from services.errors import Failure

GRACE = timedelta(seconds=90)
"""A fresh password takes up to 60 s to be known everywhere (Learn: repository-scoped tokens); Pods settle."""
STAYS = frozenset(
    {
        Cause.ALREADY_ACTIVATED,
        Cause.BAD_CONNECTION_STRING,
        Cause.NO_AMD64_NODE,
        Cause.POD_SECURITY,
        Cause.TOKEN_DISABLED,
        Cause.CLUSTER_EXPIRED,
    }
)


def judge(failure: Failure | None, waited: timedelta, *, grace: timedelta, final: bool = False) -> None:
    """Raises the failure when it is the last word."""
    if failure is not None and (final or failure.cause in STAYS or waited >= grace):
        raise failure
