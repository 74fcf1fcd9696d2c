"""What a 403 of an API server means: a right that is missing, or an admission that refuses whoever has all rights."""

import json

import pytest

from services.gateways.kubernetes.translation import Response, refusal
from services.model.errors import Conflict, DomainError, NotAllowed, Refused

FORBIDDEN = 'services is forbidden: User "bot" cannot create resource "services" in API group "" in the namespace "x"'


@pytest.mark.parametrize(
    ("action", "message", "kind"),
    [
        ("create services in x", FORBIDDEN, NotAllowed),
        ("list nodes", "access denied", NotAllowed),
        ("create services in x", "", NotAllowed),
        ("create services in x", 'admission webhook "validation.gatekeeper.sh" denied the request: no', Refused),
        ("create jobs in x", 'jobs "x" is forbidden: exceeded quota: compute, requested: count/jobs=1', Refused),
        ("create pods in x", 'pods "x" is forbidden: violates PodSecurity "restricted:latest"', Refused),
        (
            "create pods in x",
            'pods "x" is forbidden: unable to validate against any security context constraint: []',
            Refused,
        ),
        ("create services in x", "unable to create new content in x because it is being terminated", Conflict),
    ],
)
def test_only_a_missing_right_is_called_one(action: str, message: str, kind: type[DomainError]) -> None:
    status = {"kind": "Status", "reason": "Forbidden", "message": message}

    assert type(refusal(Response(403, json.dumps(status).encode(), {}), "berlin", action)) is kind
