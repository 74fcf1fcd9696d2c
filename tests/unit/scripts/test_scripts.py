"""Scripts of plans: a shell runs them, in which `az` and `kubectl` take no option that the real ones don't."""

import base64
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from handlers.views import script
from services.model.operation import Operation
from services.model.plan import Plan, PlannedStep
from services.operations.deploy.procedure import DEPLOY
from services.operations.deploy.request import DeployOptions, deploy_request
from services.operations.procedures import PROCEDURES
from services.policy.sites import Site
from tests.golden.kinds import KINDS, TILL
from tests.golden.values import NOW, SEEN, SITE, operation
from tests.unit.scripts import tools
from tests.unit.scripts.plans import PLANS

HOSTILE = "a'b\"c $(touch pwned) `touch pwned`; touch pwned #\\"
CLUSTER = f"{SITE.subscription}/Edge-RG/hamburg-arc"
SHELLCHECK = Path(sys.executable).with_name("shellcheck")
REGISTRY_ID = "/subscriptions/S/resourceGroups/G/providers/Microsoft.ContainerRegistry/registries/contosobuild"
Run = Callable[..., list[dict[str, Any]]]


def deployment(site: Site = SITE, options: DeployOptions = DeployOptions(), **seen: Any) -> Operation:  # noqa: B008 - frozen
    """A deployment of edge01 at a site, planned for a world in which these answers are others."""
    plan = DEPLOY.make_plan(site, deploy_request(site, "edge01", options), replace(SEEN, **seen), NOW)
    return operation(plan=plan)


def written(of: Operation, site: Site = SITE) -> str:
    """Its script."""
    steps = PROCEDURES.of(of).step
    return script.text(of, [steps[step.kind].line(site, of, step) if step.runs else "" for step in of.planned])


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Run a script; the calls of az and kubectl that it made, in their order. It must leave nothing behind."""
    folder = tmp_path_factory.mktemp("scripts")
    programs, calls, work = folder / "programs", folder / "calls", folder / "work"
    programs.mkdir()
    work.mkdir()
    for name in ("az", "kubectl"):
        (programs / name).write_text(f'#!/bin/sh\nexec {sys.executable} -IS {tools.__file__} {name} "$@"\n')
        (programs / name).chmod(0o755)

    def running(text: str, *, code: int = 0, cluster: str = CLUSTER) -> list[dict[str, Any]]:
        calls.write_text("")
        environment = {
            "PATH": f"{programs}:{os.environ['PATH']}",
            "CALLS": str(calls),
            "CLUSTER": cluster,
            "TMPDIR": str(work),
        }
        ended = subprocess.run(
            ["/bin/sh"], input=text, env=environment, cwd=work, text=True, capture_output=True, check=False
        )
        assert ended.returncode == code, ended.stderr
        assert list(work.iterdir()) == []
        return [json.loads(line) for line in calls.read_text().splitlines()]

    return running


@pytest.fixture(scope="module")
def deployed(run: Run) -> list[dict[str, Any]]:
    """The calls of a deployment's script."""
    return run(written(deployment()))


def commands(calls: list[dict[str, Any]]) -> list[str]:
    return [call["command"] for call in calls]


def options(calls: list[dict[str, Any]], command: str) -> dict[str, Any]:
    [call] = [call for call in calls if call["command"] == command]
    return {name: value for name, value in call["options"].items() if value not in (None, False)}


def test_a_deployment_s_script_does_its_steps_in_their_order(deployed: list[dict[str, Any]]) -> None:
    assert commands(deployed) == [
        "kubectl get configmap azure-clusterconfig",
        "kubectl create service clusterip registry-placeholder",
        "az provider register",
        "az acr update",
        "az acr repository show",
        "az acr import",
        "az acr scope-map create",
        "az acr token create",
        "az acr connected-registry create",
        "kubectl delete service registry-placeholder",
        "az acr connected-registry get-settings",
        "az k8s-extension create",
        "kubectl wait deployments",
        "kubectl wait persistentvolumeclaims",
        "kubectl get services",
        "az acr connected-registry show",
        "az acr connected-registry show",
    ]


def test_what_was_asked_for_is_in_its_options(run: Run) -> None:
    site = SITE.model_copy(
        update={
            "cluster": SITE.cluster.model_copy(
                update={"kubernetes": SITE.cluster.kubernetes.model_copy(update={"context": "hamburg"})}
            ),
            "extension": SITE.extension.model_copy(update={"version": "0.11.0", "release_train": "preview"}),
            "sync": SITE.sync.model_copy(update={"gc_enabled": False}),
        }
    )
    wish = DeployOptions(
        schedule="0 3 * * *", window=timedelta(hours=3), message_ttl=timedelta(days=5), mode="ReadWrite"
    )
    calls = run(written(deployment(site, wish), site))

    created = options(calls, "az acr connected-registry create")
    assert (created["sync_window"], created["sync_message_ttl"]) == ("PT3H", "P5D")
    assert (created["sync_schedule"], created["mode"]) == ("0 3 * * *", "ReadWrite")
    assert (created["gc_enabled"], created["gc_schedule"]) == ("false", "0 0 * * *")
    installed = options(calls, "az k8s-extension create")
    assert (installed["version"], installed["auto_upgrade_minor_version"]) == ("0.11.0", "false")
    assert (installed["release_train"], installed["subscription"]) == ("preview", SITE.subscription)
    assert "service.clusterIP=10.112.0.2" in installed["config"]
    assert {call["options"]["context"] for call in calls if call["command"].startswith("kubectl")} == {"hamburg"}


def test_a_cloud_registry_that_is_missing_is_created(run: Run) -> None:
    site = SITE.model_copy(update={"acr": SITE.acr.model_copy(update={"create_in": "westeurope"})})
    missing = deployment(site)
    step = PlannedStep("acr.create", {"name": "contosoacr", "location": "westeurope"}, "create")
    assert missing.plan
    calls = run(written(replace(missing, plan=replace(missing.plan, steps=(step,))), site))

    assert options(calls, "az acr create")["sku"] == "Premium"


def test_the_connection_string_is_in_a_file_of_its_owner_and_in_no_argument(deployed: list[dict[str, Any]]) -> None:
    [protected] = [call["protected"] for call in deployed if "protected" in call]

    assert protected == [{"connectionString": tools.SECRET}, "0o600"]
    assert [call["command"] for call in deployed if "SyncTokenPassword" in str(call["words"])] == []


def test_a_deactivation_s_script_asks_for_it_and_sees_it(run: Run) -> None:
    steps = (
        PlannedStep("connected.deactivate", {"name": "edge01", "activation": "Active"}, "change"),
        PlannedStep("connected.inactive", {"name": "edge01"}, "verify"),
    )
    deactivation = operation(kind="deactivate", plan=Plan(steps, (), {}, "0" * 16, NOW))

    assert commands(run(written(deactivation))) == [
        "az acr connected-registry deactivate",
        "az acr connected-registry show",
    ]


def test_rights_are_added_and_taken_by_repository_and_by_gateway(run: Run) -> None:
    added, taken = (
        ("repositories/team/app/content/read", "repositories/team/app/metadata/read"),
        ("gateway/line1/config/read",),
    )
    steps = (
        PlannedStep("permissions.grant", {"name": "plant", "registry": "plant", "actions": added}, "change"),
        PlannedStep("permissions.revoke", {"name": "edge01", "registry": "edge01", "actions": taken}, "change"),
    )
    calls = run(written(operation(kind="permissions", plan=Plan(steps, (), {}, "0" * 16, NOW))))

    assert [call["options"]["add_repository"] for call in calls] == [
        [["team/app", "content/read", "metadata/read"]],
        None,
    ]
    assert [call["options"]["remove_gateway"] for call in calls] == [None, [["line1", "config/read"]]]


def test_the_script_of_a_client_token_s_new_password_fills_the_idle_secret_and_ends_the_one_in_use(run: Run) -> None:
    calls = run(written(KINDS["workload rotate"]))

    assert commands(calls) == [
        "az acr token credential generate",
        "kubectl create secret generic regcred-till-2",
        "az acr connected-registry show",
        "kubectl patch deployment till",
        "kubectl rollout status deployment till",
        "kubectl delete secret regcred-till-1",
        "az acr token credential delete",
    ]
    assert [call["options"]["password1"] for call in calls if "credential" in call["command"]] == [False, True]
    [login] = [json.loads(call["stdin"])["auths"] for call in calls if "stdin" in call]
    assert login == {"10.112.0.2": {"username": TILL.token("edge01"), "password": "hunter2+ACR/hunter2=="}}
    [patch] = [call["options"]["patch"] for call in calls if "patch" in call["command"]]
    assert json.loads(patch)["spec"]["template"]["spec"] == {"imagePullSecrets": [{"name": "regcred-till-2"}]}


def test_the_script_of_a_wait_for_images_takes_back_what_it_reads_by(run: Run) -> None:
    calls = run(written(KINDS["acr import, waiting"]))

    assert commands(calls) == [
        "az acr scope-map create",
        "az acr token create",
        "az acr connected-registry update",
        "az acr token credential generate",
        "kubectl create secret generic edge01-reader",
        "az acr repository show",
        "az acr import",
        "az acr connected-registry show",
        "az acr connected-registry update",
        "az acr token delete",
        "az acr scope-map delete",
        "kubectl delete secret edge01-reader",
    ]


def test_a_rotation_s_script_hands_the_password_on_in_a_file_and_ends_the_old_one_last(run: Run) -> None:
    calls = run(written(*PLANS["token rotate, below another"]))
    [protected] = [call["protected"] for call in calls if "protected" in call]

    assert commands(calls) == [
        "az acr token credential generate",
        "az acr connected-registry show",
        "az k8s-extension update",
        *["az acr connected-registry show"] * 2,
        "az acr token credential delete",
        *["az acr connected-registry show"] * 2,
    ]
    assert protected == [{"connectionString": tools.SECRET + ";ParentEndpointProtocol=http"}, "0o600"]
    assert [call["command"] for call in calls if "hunter2" in str(call["words"])] == []
    assert [call["options"]["password1"] for call in calls if "credential" in call["command"]] == [False, True]


def test_one_is_created_below_another_and_deleted_with_what_it_synced_by(run: Run) -> None:
    created, deleted = run(written(KINDS["create"])), run(written(KINDS["delete"]))

    assert commands(created) == [
        "az acr scope-map update",
        "az acr scope-map create",
        "az acr token create",
        "az acr connected-registry create",
    ]
    assert options(created, "az acr connected-registry create")["parent"] == "plant"
    assert commands(deleted) == ["az acr connected-registry delete", "az acr token delete", "az acr scope-map delete"]


def test_an_update_s_script_adds_and_takes_what_the_azure_cli_can_t_replace(run: Run) -> None:
    calls = run(written(KINDS["update"]))
    settings, audit_logs, tokens = (call["options"] for call in calls[:3])

    assert commands(calls) == [
        "az acr connected-registry update",
        "az resource patch",
        "az acr connected-registry update",
        "az acr connected-registry show",
    ]
    assert json.loads(audit_logs["properties"]) == {"logging": {"auditLogStatus": "Enabled"}}
    assert (settings["sync_schedule"], settings["sync_window"]) == (None, "PT4H")
    assert (settings["gc_enabled"], settings["gc_schedule"]) == ("false", "0 1 * * *")
    assert (settings["add_notifications"], settings["remove_notifications"]) == (["team/app:*"], ["hello-world:push"])
    assert (tokens["add_client_tokens"], tokens["remove_client_tokens"]) == (["scanner"], [TILL.token("edge01")])


def test_an_extension_s_deletion_waits_for_its_namespace_to_go(run: Run) -> None:
    assert commands(run(written(KINDS["extension delete"]))) == [
        "az k8s-extension delete",
        "kubectl wait namespace/connected-registry",
    ]


def test_a_cloud_registry_is_made_ready_filled_and_deleted(run: Run) -> None:
    name = {"name": "contosoacr"}
    image = {
        "source": "hello-world@sha256:0",
        "image": "hello-world:v1",
        "digest": "sha256:0",
        "source_registry": "/lab",
    }
    kinds = {
        "acr update": [("acr.upgrade", name), ("acr.data_endpoint", name), ("acr.ready", name)],
        "acr import": [("acr.import", image)],
        "acr delete": [("acr.delete", name)],
    }
    calls = []
    for kind, steps in kinds.items():
        planned = tuple(PlannedStep(step, params, "change") for step, params in steps)
        calls += run(written(operation(kind=kind, target="contosoacr", plan=Plan(planned, (), {}, "0" * 16, NOW))))

    assert commands(calls) == [
        "az acr update",
        "az acr update",
        "az acr show",
        "az acr repository show",
        "az acr import",
        "az acr delete",
    ]
    assert options(calls, "az acr import")["registry"] == "/lab"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ({"resource_id": REGISTRY_ID}, {"source": "app:1", "registry": REGISTRY_ID}),
        (
            {"username": "pull", "password_file": "/dev/null"},
            {"source": "registry.example.com/app:1", "username": "pull", "password": ""},
        ),
        (
            {"username": "pull", "password_variable": "CLUSTER"},
            {"source": "registry.example.com/app:1", "username": "pull", "password": CLUSTER},
        ),
    ],
    ids=["resource id", "file", "variable"],
)
def test_an_import_from_a_private_registry_reads_there_as_the_site_file_says(
    run: Run, source: dict[str, str], expected: dict[str, str]
) -> None:
    images = {"images": {"app": "registry.example.com/app:1"}, "sources": {"registry.example.com": source}}
    private = Site.model_validate(SITE.model_dump() | images)
    planned = PlannedStep("acr.import", {"source": "registry.example.com/app:1", "image": "app:1"}, "create")
    calls = run(written(operation(kind="deploy", plan=Plan((planned,), (), {}, "0" * 16, NOW)), private))

    imported = options(calls, "az acr import")
    assert {key: imported[key] for key in expected} == expected


def test_an_extension_s_change_sends_a_certificate_s_name_beside_the_new_connection_string(run: Run) -> None:
    calls = run(written(KINDS["extension update"]))
    updated = options(calls, "az k8s-extension update")
    [(protected, mode)] = [call["protected"] for call in calls if "protected" in call]

    assert commands(calls)[-2:] == ["az k8s-extension update", "kubectl wait deployments"]
    assert (updated["version"], updated["auto_upgrade_minor_version"]) == ("0.11.0", "false")
    assert "trustDistribution.useNodeSelector=true" in updated["config"]
    assert (protected.keys(), protected["tls.secret"], mode) == (
        {"connectionString", "tls.secret"},
        "edge-certificate",
        "0o600",
    )


@pytest.mark.parametrize("name", ["extension update, own certificate", "deploy, own certificate"])
def test_the_key_of_a_certificate_goes_from_where_the_site_file_says_into_the_same_file(run: Run, name: str) -> None:
    calls = run(written(*PLANS[name]))
    [(protected, mode)] = [call["protected"] for call in calls if "protected" in call]

    assert base64.b64decode(protected["tls.key"]).decode() == f"{CLUSTER}\n"
    assert (protected["tls.crt"], protected["tls.cacrt"], mode) == ("", "", "0o600")


def test_a_resync_s_script_asks_for_it_and_shows_how_it_goes(run: Run) -> None:
    assert commands(run(written(KINDS["resync"]))) == [
        "az acr connected-registry resync",
        "az acr connected-registry show",
    ]


def test_nothing_is_written_to_another_cluster(run: Run) -> None:
    calls = run(written(deployment()), code=1, cluster="another/edge-rg/hamburg-arc")

    assert commands(calls) == ["kubectl get configmap azure-clusterconfig"]


def test_what_stays_as_it_is_has_no_line() -> None:
    kept = deployment()
    assert kept.plan
    steps = tuple(replace(step, effect="reuse") if step.kind == "scope_map.put" else step for step in kept.planned)
    text = written(replace(kept, plan=replace(kept.plan, steps=steps)))

    assert ("az acr scope-map create" in text, "az acr token create" in text) == (False, True)


def test_a_hostile_value_is_one_word_of_the_shell_and_runs_nothing(run: Run) -> None:
    hostile = deployment()
    assert hostile.plan
    calls = run(written(replace(hostile, plan=replace(hostile.plan, steps=tuple(map(spoilt, hostile.planned))))))

    imported = options(calls, "az acr import")
    assert (imported["source"], imported["image"]) == (HOSTILE, [HOSTILE])
    assert options(calls, "az acr connected-registry create")["sync_schedule"] == HOSTILE
    assert f"pvc.storageRequest={HOSTILE}" in options(calls, "az k8s-extension create")["config"]


def spoilt(step: PlannedStep) -> PlannedStep:
    """The step with values that no configuration would let through."""
    values: Mapping[str, object] = {
        "source": HOSTILE,
        "image": HOSTILE,
        "schedule": HOSTILE,
        "settings": {"pvc.storageRequest": HOSTILE},
        "name": f"{HOSTILE}\n{HOSTILE}",
        "namespace": HOSTILE,
    }
    return replace(step, params={key: values.get(key, value) for key, value in step.params.items()})


def with_context(site: Site) -> Site:
    """The same where kubectl reaches the cluster by a context of its own."""
    reached = site.cluster.kubernetes.model_copy(update={"context": "hamburg"})
    return site.model_copy(update={"cluster": site.cluster.model_copy(update={"kubernetes": reached})})


@pytest.mark.parametrize("name", PLANS)
def test_the_script_of_each_kind_runs_by_options_that_exist_in_the_site_s_cluster_alone(run: Run, name: str) -> None:
    planned, site = PLANS[name]
    calls = run(written(planned, with_context(site)))

    assert calls
    assert {call["options"]["context"] for call in calls if call["command"].startswith("kubectl")} <= {"hamburg"}
    placed = [call for call in calls if call["command"].startswith("az") and "--ids" not in call["words"]]
    assert {call["options"]["subscription"] for call in placed} <= {SITE.subscription}
    assert [call["command"] for call in calls if "hunter2" in str(call["words"])] == []


def test_every_step_there_is_stands_in_a_script() -> None:
    planned = {step.kind for of, _site in PLANS.values() for step in of.planned}

    assert {of.kind for of, _site in PLANS.values()} == set(PROCEDURES.kinds)
    assert planned == {step.kind for kind in PROCEDURES.kinds for step in PROCEDURES[kind].steps}


@pytest.mark.skipif(not SHELLCHECK.exists(), reason="shellcheck is not installed")
@pytest.mark.parametrize("name", PLANS)
def test_shellcheck_passes_the_script_of_each_kind(name: str, tmp_path: Path) -> None:
    file = tmp_path / "script.sh"
    file.write_text(written(*PLANS[name]))
    checked = subprocess.run([SHELLCHECK, "--norc", file], text=True, capture_output=True, check=False)

    assert (checked.returncode, checked.stdout) == (0, "")
