"""An operation of each further kind, with a plan that its own procedure has made."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from services.model.azure import ArcCluster, PasswordSlot, ScopeMap, Token
from services.model.kubernetes import DeployedWorkload, Node, WorkloadSpec
from services.model.operation import Operation, StepRun
from services.operations.answers import Known
from services.operations.arrival_checks import ReaderPlace
from services.operations.cloud_registry import observation as cloud_registry
from services.operations.cloud_registry.procedures import ACR_IMPORT
from services.operations.cloud_registry.request import AcrImportOptions
from services.operations.create import observation as create
from services.operations.create.procedure import CREATION
from services.operations.create.request import CreateOptions
from services.operations.delete import observation as delete
from services.operations.delete.procedure import DELETION
from services.operations.delete.request import DeleteOptions
from services.operations.extension_update import observation as extension_update
from services.operations.extension_update.procedure import EXTENSION_UPDATE
from services.operations.extension_update.request import ExtensionUpdateOptions
from services.operations.permissions import observation as permissions
from services.operations.permissions.procedure import PERMISSIONS
from services.operations.permissions.request import PermissionsOptions
from services.operations.procedure import Procedure
from services.operations.remove import observation as remove
from services.operations.remove.extension_alone import EXTENSION_DELETION, ExtensionDeleteOptions
from services.operations.resync import checks as resync
from services.operations.resync.procedure import RESYNC
from services.operations.resync.request import ResyncOptions
from services.operations.token_rotation import observation as token_rotation
from services.operations.token_rotation.procedure import TOKEN_ROTATION
from services.operations.token_rotation.request import RotationOptions
from services.operations.update import checks as update
from services.operations.update.procedure import SETTINGS
from services.operations.update.request import UpdateOptions
from services.operations.workload.procedure import ROTATE_CLIENT_TOKEN
from services.operations.workload.rotation import RotationObservation as ClientRotation
from services.operations.workload.rotation import RotationOptions as ClientRotationOptions
from services.operations.workload_removal import Place
from services.policy.sites import sync_actions
from tests.golden.values import ACR, ASKED, EXTENSION, NOW, REGISTRY, SITE, operation


def sync_token(name: str) -> Token:
    """Of the connected registry of that name."""
    return Token(f"/acr/tokens/{name}", name, f"/acr/scopeMaps/{name}", enabled=True)


def sync_scope_map(name: str) -> ScopeMap:
    """Likewise, with the rights to one repository."""
    return ScopeMap(f"/acr/scopeMaps/{name}", name, sync_actions(name, "ReadOnly", ("hello-world",)))


def waiting(procedure: Procedure[Any, Any], options: object, observation: object) -> Operation:
    """It waits for approval."""
    plan = procedure.make_plan(SITE, procedure.request(SITE, "edge01", options), observation, NOW)
    steps = tuple(StepRun(index) for index in range(len(plan.steps)))
    return operation(kind=procedure.kind, options=options, plan=plan, steps=steps, approval_request=ASKED)


EDGE = replace(REGISTRY, parent="plant")
PLANT = replace(REGISTRY, id="/acr/connectedRegistries/plant", name="plant", token_id="/acr/tokens/plant")
TILL = Place("shop", "till")
PULLING = WorkloadSpec(TILL.namespace, TILL.name, "edge01", "10.112.0.2/team/app:v1", 1, None, TILL.pull_secrets[0])
EXTENSION_WORLD = extension_update.Observation(
    connected=Known((replace(REGISTRY, gateway_endpoint="contosoacr.westeurope.data.azurecr.io"),)),
    tokens=Known((sync_token("edge01"),)),
    cluster=Known(ArcCluster("/arc", "hamburg-arc", "westeurope", "Connected", NOW)),
    extensions=Known((replace(EXTENSION, settings={"service.clusterIP": REGISTRY.login_server}, auto_upgrade=True),)),
    nodes=Known((Node("hamburg-1", "linux", "amd64", True),)),
    cert_manager=Known(True),
    missing_at_acr=Known(()),
    missing_at_cluster=Known(()),
)
ROTATION_WORLD = token_rotation.Observation(
    connected=Known((replace(REGISTRY, gateway_endpoint="contosoacr.westeurope.data.azurecr.io"),)),
    tokens=Known((replace(sync_token("edge01"), passwords=(PasswordSlot("password1", NOW),)),)),
    cluster=Known(ArcCluster("/arc", "hamburg-arc", "westeurope", "Connected", NOW)),
    extensions=Known((replace(EXTENSION, settings={"service.clusterIP": REGISTRY.login_server}),)),
    missing_at_acr=Known(()),
    missing_at_cluster=Known(()),
)
KINDS: Mapping[str, Operation] = {
    "permissions": waiting(
        PERMISSIONS,
        PermissionsOptions(add=("team/app",)),
        permissions.Observation(
            connected=Known((PLANT, EDGE)),
            scope_maps=Known((sync_scope_map("plant"), sync_scope_map("edge01"))),
            tokens=Known((sync_token("plant"), sync_token("edge01"))),
            missing_actions=Known(()),
            workloads=Known(()),
            own_workloads=Known(()),
            images={"team/app": Known("v1")},
        ),
    ),
    "token rotate": waiting(
        TOKEN_ROTATION,
        RotationOptions(NOW + timedelta(days=90)),
        ROTATION_WORLD,
    ),
    "create": waiting(
        CREATION,
        CreateOptions(repositories=("hello-world",), parent="plant"),
        create.Observation(
            registry=Known(replace(ACR, data_endpoint=True)),
            connected=Known((PLANT,)),
            scope_maps=Known((sync_scope_map("plant"),)),
            tokens=Known((sync_token("plant"),)),
            missing_actions=Known(()),
            images={"hello-world": Known("latest")},
        ),
    ),
    "delete": waiting(
        DELETION,
        DeleteOptions(cleanup=True),
        delete.Observation(
            connected=Known((PLANT, replace(EDGE, activation="Inactive", connection_state="Offline"))),
            scope_maps=Known((sync_scope_map("plant"), sync_scope_map("edge01"))),
            tokens=Known((sync_token("plant"), sync_token("edge01"))),
            extensions=Known(()),
            missing_actions=Known(()),
        ),
    ),
    "extension delete": waiting(
        EXTENSION_DELETION,
        ExtensionDeleteOptions(),
        remove.Observation(
            connected=Known((REGISTRY,)),
            scope_maps=Known(()),
            tokens=Known(()),
            missing_at_acr=Known(()),
            cluster=Known(ArcCluster("/arc", "hamburg-arc", "westeurope", "Connected", NOW)),
            extensions=Known((replace(EXTENSION, settings={"service.clusterIP": REGISTRY.login_server}),)),
            missing_at_cluster=Known(()),
            locks_at_acr=Known(()),
            locks_at_cluster=Known(()),
            kubernetes_version=Known("v1.33.4"),
            missing_rights=Known(()),
            namespace_phase=Known("Active"),
            workloads=Known(()),
            own_workloads=Known(()),
            missing_workload_rights=Known(()),
        ),
    ),
    "extension update": waiting(
        EXTENSION_UPDATE,
        ExtensionUpdateOptions(version="0.11.0", tls="secret", tls_secret="edge-certificate", trust_node_selector=True),
        EXTENSION_WORLD,
    ),
    "update": waiting(
        SETTINGS,
        UpdateOptions(
            window=timedelta(hours=4),
            notifications=("team/app:*",),
            gc_enabled=False,
            gc_schedule="0 1 * * *",
            audit_logs=True,
            add_client_tokens=("scanner",),
            remove_client_tokens=(TILL.token("edge01"),),
        ),
        update.Observation(
            connected=Known((replace(REGISTRY, client_token_ids=(f"/acr/tokens/{TILL.token('edge01')}",)),)),
            missing_actions=Known(()),
            tokens=Known((sync_token("edge01"), sync_token("scanner"))),
            own_workloads=Known((DeployedWorkload(PULLING, "uid", managed=True, pods=()),)),
        ),
    ),
    "workload rotate": waiting(
        ROTATE_CLIENT_TOKEN,
        ClientRotationOptions(TILL.name, TILL.namespace),
        ClientRotation(
            connected=Known((REGISTRY,)),
            tokens=Known(()),
            missing_rights=Known(()),
            workload=Known(DeployedWorkload(PULLING, "uid", managed=True, pods=())),
        ),
    ),
    "acr import, waiting": waiting(
        ACR_IMPORT,
        AcrImportOptions(("mcr.microsoft.com/hello-world:linux",), wait_for_images=True),
        cloud_registry.Observation(
            registry=Known(ACR),
            connected=Known((REGISTRY,)),
            name_refusal=Known(""),
            providers=Known({}),
            missing_actions=Known(()),
            edge=Known(cloud_registry.Edge(REGISTRY, sync_actions("edge01", "ReadOnly", ("hello-world",)))),
            reader_place=Known(ReaderPlace("Active", ())),
        ),
    ),
    "resync": waiting(
        RESYNC, ResyncOptions(), resync.Observation(Known((REGISTRY,)), Known("2026-09-01-preview"), Known(()))
    ),
}
