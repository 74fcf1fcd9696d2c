"""An operation of every kind, with a plan that its own procedure has made: together they have every step there is."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from services.model.azure import ArcCluster, ConnectedRegistry, Extension, Image, ScopeMap, Token
from services.model.kubernetes import DeployedWorkload
from services.model.operation import Operation
from services.model.plan import Effect, PlannedStep
from services.operations.answers import Known
from services.operations.certificates import Certificate
from services.operations.cloud_registry import observation as cloud_registry
from services.operations.cloud_registry.procedures import ACR_CREATION, ACR_DELETION, ACR_IMPORT, ACR_UPDATE
from services.operations.cloud_registry.request import AcrCreateOptions, AcrImportOptions, AcrOptions
from services.operations.create import observation as create
from services.operations.create.procedure import CREATION
from services.operations.create.request import CreateOptions
from services.operations.deactivate import checks as deactivate
from services.operations.deactivate.procedure import DEACTIVATION
from services.operations.deactivate.request import DeactivateOptions
from services.operations.deploy.extension_alone import EXTENSION_DEPLOY, ExtensionDeployOptions
from services.operations.deploy.procedure import DEPLOY
from services.operations.deploy.request import DeployOptions
from services.operations.extension_update.procedure import EXTENSION_UPDATE
from services.operations.extension_update.request import ExtensionUpdateOptions
from services.operations.permissions import observation as permissions
from services.operations.permissions.procedure import PERMISSIONS
from services.operations.permissions.request import PermissionsOptions
from services.operations.procedure import Procedure
from services.operations.providers.procedure import PROVIDER_REGISTRATION
from services.operations.providers.procedure import Observation as ProviderObservation
from services.operations.providers.request import ProviderOptions
from services.operations.reinstall import procedure as reinstall
from services.operations.reinstall.procedure import REINSTALLATION
from services.operations.reinstall.request import ReinstallOptions
from services.operations.remove import observation as remove
from services.operations.remove.procedure import REMOVAL
from services.operations.remove.request import RemoveOptions
from services.operations.rollback import observation as rollback
from services.operations.rollback.procedure import ROLLBACK
from services.operations.rollback.request import RollbackOptions
from services.operations.token_rotation.procedure import TOKEN_ROTATION
from services.operations.token_rotation.request import RotationOptions
from services.operations.workload import observation as workload
from services.operations.workload.procedure import DELETE_WORKLOAD, DEPLOY_WORKLOAD
from services.operations.workload.request import DeletionOptions, WorkloadOptions
from services.policy.sites import PROVIDERS, OwnCertificate, Site, gateway_actions
from tests.golden.kinds import EXTENSION_WORLD, KINDS, PLANT, PULLING, ROTATION_WORLD, TILL, sync_scope_map, sync_token
from tests.golden.values import ACR, EXTENSION, NOW, REGISTRY, SEEN, SITE, WITHOUT_ACCESS, WITHOUT_CLUSTER, operation

READY = replace(ACR, data_endpoint=True)
ARC = ArcCluster("/arc", "hamburg-arc", "westeurope", "Connected", NOW, "1.33.4")
CLIENT = TILL.token("edge01")
CLIENT_TOKEN = Token(f"/acr/tokens/{CLIENT}", CLIENT, f"/acr/scopeMaps/{CLIENT}", enabled=True)
PULLED_FROM = replace(REGISTRY, client_token_ids=(CLIENT_TOKEN.id,))
INACTIVE = Known[tuple[ConnectedRegistry, ...]]((replace(REGISTRY, activation="Inactive"),))
RUNNING = Known[DeployedWorkload | None](DeployedWorkload(PULLING, "uid", managed=True, pods=()))
INSTALLED = Known[tuple[Extension, ...]]((replace(EXTENSION, settings={"service.clusterIP": REGISTRY.login_server}),))
ABOVE = ScopeMap("/acr/scopeMaps/plant", "plant", (*gateway_actions("plant"), *gateway_actions("edge01")))
TO_CREATE = SITE.model_copy(update={"acr": SITE.acr.model_copy(update={"create_in": "westeurope"})})
CERTIFIED = SITE.model_copy(
    update={
        "extension": SITE.extension.model_copy(
            update={"certificate": OwnCertificate(certificate_file="/dev/null", key_variable="CLUSTER")}
        )
    }
)
CLOUD = cloud_registry.Observation(
    registry=Known(replace(ACR, sku="Basic")),
    connected=Known(()),
    name_refusal=Known(""),
    providers=Known({cloud_registry.PROVIDER: "Registered"}),
    missing_actions=Known(()),
)
WHOLE = remove.Observation(
    connected=Known((PLANT, PULLED_FROM)),
    scope_maps=Known((ABOVE, sync_scope_map("edge01"), ScopeMap(CLIENT_TOKEN.scope_map_id, CLIENT, ()))),
    tokens=Known((sync_token("plant"), sync_token("edge01"), CLIENT_TOKEN)),
    missing_at_acr=Known(()),
    cluster=Known(ARC),
    extensions=INSTALLED,
    missing_at_cluster=Known(()),
    locks_at_acr=Known(()),
    locks_at_cluster=Known(()),
    kubernetes_version=Known("v1.33.4"),
    missing_rights=Known(()),
    namespace_phase=Known("Active"),
    workloads=Known(()),
    own_workloads=Known((DeployedWorkload(PULLING, "uid", managed=True, pods=()),)),
    missing_workload_rights=Known(()),
)

ROLLED_BACK = rollback.Observation(WHOLE, Known(()), Known(()), RUNNING, Known(()))


def step(kind: str, effect: Effect, **params: object) -> PlannedStep:
    """A step that an operation has run."""
    return PlannedStep(kind, params, effect)


def planned(
    procedure: Procedure[Any, Any], options: object, observation: object, *, target: str = "edge01", site: Site = SITE
) -> tuple[Operation, Site]:
    """An operation of this kind, and where it is."""
    plan = procedure.make_plan(site, procedure.request(site, target, options), observation, NOW)
    return operation(kind=procedure.kind, target=target, options=options, plan=plan), site


PLANS: Mapping[str, tuple[Operation, Site]] = {
    **{kind: (planned_there, SITE) for kind, planned_there in KINDS.items()},
    "deploy": planned(DEPLOY, DeployOptions(), SEEN),
    "deploy, without access and cloud registry": planned(
        DEPLOY,
        DeployOptions(),
        replace(WITHOUT_CLUSTER, registry=Known(None)),
        site=WITHOUT_ACCESS.model_copy(update={"acr": TO_CREATE.acr}),
    ),
    "deploy, own certificate": planned(
        DEPLOY,
        DeployOptions(tls="certificate"),
        replace(SEEN, certificate=Certificate("9f86d081", ("10.112.0.2",), NOW, NOW + timedelta(days=90))),
        site=CERTIFIED,
    ),
    "deploy, certificate from a Secret": planned(DEPLOY, DeployOptions(tls="secret", tls_secret="edge"), SEEN),
    "extension deploy": planned(
        EXTENSION_DEPLOY,
        ExtensionDeployOptions(extension_name="edge"),
        replace(SEEN, connected=INACTIVE, token=Known(sync_token("edge01"))),
    ),
    "extension deploy, below another": planned(
        EXTENSION_DEPLOY,
        ExtensionDeployOptions(parent_protocol="http"),
        replace(
            SEEN,
            connected=Known((replace(REGISTRY, activation="Inactive", parent="plant", gateway_endpoint="10.1.0.5"),)),
            token=Known(sync_token("edge01")),
        ),
    ),
    "extension deploy, without access": planned(
        EXTENSION_DEPLOY,
        ExtensionDeployOptions(),
        replace(WITHOUT_CLUSTER, connected=INACTIVE, token=Known(sync_token("edge01"))),
        site=WITHOUT_ACCESS,
    ),
    "token rotate, below another": planned(
        TOKEN_ROTATION,
        RotationOptions(parent_protocol="http"),
        replace(ROTATION_WORLD, connected=Known((replace(REGISTRY, parent="plant", gateway_endpoint="10.1.0.5"),))),
    ),
    "extension update, own certificate": planned(
        EXTENSION_UPDATE,
        ExtensionUpdateOptions(tls="certificate"),
        replace(EXTENSION_WORLD, certificate=Certificate("9f86d081", ("10.112.0.2",), NOW, NOW + timedelta(days=90))),
        site=CERTIFIED,
    ),
    "create, with the data endpoint": planned(
        CREATION,
        CreateOptions(repositories=("hello-world",), mode="ReadWrite", gc_enabled=False, audit_logs=True),
        create.Observation(
            registry=Known(ACR),
            connected=Known(()),
            scope_maps=Known(()),
            tokens=Known(()),
            missing_actions=Known(()),
            images={"hello-world": Known("latest")},
        ),
    ),
    "create, by a token that exists": planned(
        CREATION,
        CreateOptions(sync_token="edge-sync"),
        create.Observation(
            registry=Known(READY),
            connected=Known(()),
            scope_maps=Known((sync_scope_map("edge01"),)),
            tokens=Known((replace(sync_token("edge01"), id="/acr/tokens/edge-sync", name="edge-sync"),)),
            missing_actions=Known(()),
        ),
    ),
    "deactivate": planned(
        DEACTIVATION, DeactivateOptions(), deactivate.Observation(connected=Known((REGISTRY,)), extensions=INSTALLED)
    ),
    "permissions, less": planned(
        PERMISSIONS,
        PermissionsOptions(remove=("hello-world",)),
        permissions.Observation(
            connected=Known((REGISTRY,)),
            scope_maps=Known((sync_scope_map("edge01"),)),
            tokens=Known((sync_token("edge01"),)),
            missing_actions=Known(()),
            workloads=Known(()),
            own_workloads=Known(()),
        ),
    ),
    "remove": planned(REMOVAL, RemoveOptions(), WHOLE),
    "remove, without the cluster": planned(REMOVAL, RemoveOptions(without_cluster=True), WHOLE),
    "operation rollback": planned(
        ROLLBACK,
        RollbackOptions(
            "op-7k3q9xa",
            (
                step("scope_map.grant", "change", name="plant", actions=gateway_actions("edge01")),
                step("permissions.revoke", "change", name="edge01", actions=("repositories/team/app/content/read",)),
                *(step(kind, "create", name="edge01") for kind in ("scope_map.put", "sync_token.put")),
                *(step(kind, "create", name="edge01") for kind in ("connected.create", "extension.install")),
            ),
        ),
        ROLLED_BACK,
    ),
    "operation rollback, of a workload": planned(
        ROLLBACK,
        RollbackOptions(
            "op-7k3q9xa",
            (
                step("client_scope_map.put", "create", name=CLIENT),
                step("client_token.put", "create", name=CLIENT),
                step("client_token.link", "change", token=CLIENT, registry="edge01"),
                step("pull_secret.put", "create", namespace=TILL.namespace, workload=TILL.name, token=CLIENT),
                step(
                    "workload.put",
                    "create",
                    namespace=TILL.namespace,
                    workload=TILL.name,
                    image=PULLING.image,
                    replicas=PULLING.replicas,
                    port=PULLING.port,
                ),
            ),
        ),
        ROLLED_BACK,
    ),
    "operation rollback, of changes": planned(
        ROLLBACK,
        RollbackOptions(
            "op-7k3q9xa",
            (
                step("connected.update", "change", name="edge01", changes={"log_level": ("Debug", "Information")}),
                step("connected.client_tokens", "change", name="edge01", add=(CLIENT,), remove=(), before=(), after=()),
                step(
                    "extension.update",
                    "change",
                    name="edge01",
                    settings={"service.type": ("NodePort", "ClusterIP")},
                    release={},
                    tls_secret="",
                    token="",
                    slot="",
                ),
                step(
                    "workload.switch",
                    "change",
                    namespace=TILL.namespace,
                    workload=TILL.name,
                    secret=PULLING.pull_secret,
                ),
                step(
                    "pull_secret.renew",
                    "create",
                    namespace=TILL.namespace,
                    workload=TILL.name,
                    secret=PULLING.pull_secret,
                    token=CLIENT,
                ),
            ),
        ),
        ROLLED_BACK,
    ),
    "extension reinstall": planned(
        REINSTALLATION,
        ReinstallOptions(storage_class="standard", version="newest"),
        reinstall.Observation(
            WHOLE,
            replace(SEEN, connected=WHOLE.connected, token=Known(sync_token("edge01")), extensions=INSTALLED),
            missing_at_acr=Known(()),
            missing_at_cluster=Known(()),
        ),
    ),
    "provider register": planned(
        PROVIDER_REGISTRATION,
        ProviderOptions(),
        ProviderObservation(Known(dict.fromkeys(PROVIDERS, "NotRegistered"))),
        target="hamburg",
    ),
    "acr create": planned(
        ACR_CREATION, AcrCreateOptions("westeurope"), replace(CLOUD, registry=Known(None)), target="contosoacr"
    ),
    "acr update": planned(ACR_UPDATE, AcrOptions(), CLOUD, target="contosoacr"),
    "acr import": planned(
        ACR_IMPORT,
        AcrImportOptions((f"mcr.microsoft.com/hello-world:v1@sha256:{'a' * 64}", "docker.io/library/nginx:1")),
        CLOUD,
        target="contosoacr",
    ),
    "acr delete": planned(ACR_DELETION, AcrOptions(), CLOUD, target="contosoacr"),
    "workload deploy": planned(
        DEPLOY_WORKLOAD,
        WorkloadOptions("team/app:v1", "till", "shop", 2, 8080),
        workload.Observation(
            registry=Known(READY),
            connected=Known((REGISTRY,)),
            extensions=INSTALLED,
            sync_scope_map=Known(sync_scope_map("edge01")),
            image=Known(workload.CloudImage(Image("sha256:9f86d081", {}))),
            scope_map=Known(None),
            token=Known(None),
            kubernetes_version=Known("v1.33.4"),
            nodes=SEEN.nodes,
            namespace_phase=Known("Active"),
            missing_rights=Known(()),
            workload=Known(None),
        ),
    ),
    "workload delete": planned(
        DELETE_WORKLOAD,
        DeletionOptions("shop"),
        workload.DeletionObservation(
            connected=Known((PULLED_FROM,)),
            extensions=INSTALLED,
            tokens=Known((CLIENT_TOKEN,)),
            missing_rights=Known(()),
            workload=RUNNING,
        ),
        target="till",
    ),
}
"""By kind, with a remark where a kind has several."""
