"""ARM resources of which parts are missing or are something else: a value of ours, or one of our errors."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateways.azure import Connection
from services.model.errors import Foreign
from tests.contract.azure.conftest import ACR, CLUSTER
from tests.contract.azure.scripted import Answer, ScriptedArm, registry
from tests.contract.azure.test_border import QUESTIONS
from tests.fuzzing import damaged, fuzzed

MOMENT = "2026-11-30T09:00:00Z"
STATUS = {"code": "DISK", "type": "error", "description": "full", "timestamp": MOMENT, "availableGib": 1.5}
CONNECTED: dict[str, Any] = {
    "id": f"{ACR.id}/connectedRegistries/edge01",
    "name": "edge01",
    "properties": {
        "mode": "ReadOnly",
        "provisioningState": "Succeeded",
        "connectionState": "Online",
        "activation": {"status": "Active"},
        "version": "1.0",
        "lastActivityTime": MOMENT,
        "parent": {
            "id": f"{ACR.id}/connectedRegistries/hub",
            "syncProperties": {
                "tokenId": f"{ACR.id}/tokens/edge01",
                "schedule": "* * * * *",
                "messageTtl": "P2D",
                "syncWindow": "PT3H",
                "lastSyncTime": MOMENT,
                "gatewayEndpoint": "contosoacr.azurecr.io",
            },
        },
        "clientTokenIds": [f"{ACR.id}/tokens/pull"],
        "loginServer": {"host": "10.96.0.2", "tls": {"status": "Enabled"}},
        "logging": {"logLevel": "Information", "auditLogStatus": "Enabled"},
        "statusDetails": [STATUS],
        "notificationsList": ["hello-world:*"],
        "garbageCollection": {"enabled": True, "schedule": "0 5 * * *"},
        "registrySyncResult": {"syncTrigger": "Manual", "syncState": "Succeeded", "lastSuccessfulSyncEndTime": MOMENT},
    },
}
EXTENSION: dict[str, Any] = {
    "id": f"{CLUSTER.id}/providers/Microsoft.KubernetesConfiguration/extensions/edge01",
    "name": "edge01",
    "systemData": {"lastModifiedAt": MOMENT},
    "properties": {
        "extensionType": "microsoft.containerregistry.connectedregistry",
        "autoUpgradeMinorVersion": True,
        "releaseTrain": "stable",
        "currentVersion": "1.0.0",
        "scope": {"cluster": {"releaseNamespace": "connected-registry"}},
        "configurationSettings": {"pvc.storageRequest": "250Gi"},
        "configurationProtectedSettings": {"connectionString": ""},
        "provisioningState": "Failed",
        "statuses": [{"code": "InstallationFailed", "level": "Error", "message": "no", "time": MOMENT}],
        "errorInfo": {"code": "ExtensionOperationFailed", "message": "no", "details": [{"code": "a", "message": "b"}]},
    },
}
SOUND: dict[str, Any] = {
    "registry": registry(dataEndpointEnabled=True, networkRuleSet={"defaultAction": "Deny", "ipRules": []}),
    "scope map": {"name": "edge01", "properties": {"type": "UserDefined", "actions": ["repositories/a/content/read"]}},
    "token": {
        "name": "edge01",
        "properties": {
            "scopeMapId": f"{ACR.id}/scopeMaps/edge01",
            "status": "enabled",
            "credentials": {"passwords": [{"name": "password1", "creationTime": MOMENT, "expiry": MOMENT}]},
        },
    },
    "connected registry": CONNECTED,
    "connected registries": {"value": [CONNECTED], "nextLink": None},
    "cluster": {
        "name": "berlin-arc",
        "location": "westeurope",
        "properties": {
            "connectivityStatus": "Connected",
            "lastConnectivityTime": MOMENT,
            "managedIdentityCertificateExpirationTime": MOMENT,
            "totalNodeCount": 2,
            "kubernetesVersion": "1.37",
        },
    },
    "extension": EXTENSION,
    "extensions": {"value": [EXTENSION]},
    "password": {"username": "edge01", "passwords": [{"name": "password1", "value": "p", "creationTime": MOMENT}]},
}


@pytest.mark.parametrize("question", SOUND)
async def test_a_sound_answer_is_understood(arm: ScriptedArm, connection: Connection, question: str) -> None:
    arm.will_say(Answer(body=SOUND[question]))

    await QUESTIONS[question](connection)


@fuzzed
@given(st.sampled_from(sorted(SOUND)).flatmap(lambda question: st.tuples(st.just(question), damaged(SOUND[question]))))
async def test_a_damaged_answer_is_an_answer_or_an_error_of_ours(
    arm: ScriptedArm, connection: Connection, case: tuple[str, Any]
) -> None:
    question, answer = case
    arm.will_say(Answer(body=answer))
    try:
        await QUESTIONS[question](connection)
    except Foreign:
        return
