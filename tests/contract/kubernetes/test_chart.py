"""The Helm chart: what it renders is taken by a real API server, and names settings that the bot has."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes.aio import client, config

from bot.configuration import load
from bot.settings import NAMES
from sandbox.controlplane.part import RealKubePart
from tests.deploy_tools import program

CHART = Path(__file__).parents[3] / "deploy" / "helm"
GUID = "11111111-1111-4111-8111-111111111111"
SMALLEST: dict[str, Any] = {
    "slack": {"existingSecret": "slack"},
    "azure": {"clientId": GUID, "tenantId": GUID},
    "config": {"existingConfigMap": "files"},
}
LARGEST: dict[str, Any] = {
    "replicas": 3,
    "image": {
        "repository": "contosoacr.azurecr.io/registry-bot",
        "digest": f"sha256:{'0' * 64}",
        "pullSecrets": ["pull"],
    },
    "slack": {"existingSecret": "slack", "mode": "http", "command": "/edge"},
    "azure": {"clientId": GUID, "tenantId": GUID, "identity": "secret", "existingSecret": "azure"},
    "database": {"existingSecret": "database"},
    "auditArchive": {"existingClaim": "audit"},
    "config": {"sites": {"sites": {"berlin": {"environment": "production"}}}, "access": {"grants": []}},
    "kubeconfig": {"existingSecret": "clusters"},
    "env": {"REGISTRY_BOT_KEEP_AUDIT": "P400D", "REGISTRY_BOT_WATCH_INTERVAL": 30},
    "serviceAccount": {"annotations": {"example.com/team": "edge"}, "automountToken": True},
    "service": {"annotations": {"example.com/team": "edge"}},
    "ingress": {"enabled": True, "className": "nginx", "host": "bot.example.com", "tlsSecret": "tls"},
    "networkPolicy": {
        "ingressFrom": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "ingress"}}}],
        "monitoringFrom": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}],
    },
    "podAnnotations": {"example.com/team": "edge"},
    "podLabels": {"team": "edge"},
    "nodeSelector": {"kubernetes.io/os": "linux"},
    "tolerations": [{"key": "edge", "operator": "Exists"}],
    "priorityClassName": "system-cluster-critical",
}
MANAGED = SMALLEST | {"azure": {"identity": "managed"}}
CREATE = {
    "ConfigMap": (client.CoreV1Api, "create_namespaced_config_map"),
    "Deployment": (client.AppsV1Api, "create_namespaced_deployment"),
    "Ingress": (client.NetworkingV1Api, "create_namespaced_ingress"),
    "NetworkPolicy": (client.NetworkingV1Api, "create_namespaced_network_policy"),
    "PersistentVolumeClaim": (client.CoreV1Api, "create_namespaced_persistent_volume_claim"),
    "PodDisruptionBudget": (client.PolicyV1Api, "create_namespaced_pod_disruption_budget"),
    "Service": (client.CoreV1Api, "create_namespaced_service"),
    "ServiceAccount": (client.CoreV1Api, "create_namespaced_service_account"),
}


def helm(values: dict[str, Any], folder: Path) -> subprocess.CompletedProcess[str]:
    file = folder / "values.yaml"
    file.write_text(yaml.safe_dump(values), encoding="utf-8")
    command = [str(program("helm")), "template", "bot", str(CHART), "--values", str(file), "--kube-version", "1.35"]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def rendered(values: dict[str, Any], folder: Path) -> dict[str, dict[str, Any]]:
    """The manifests by their kind."""
    done = helm(values, folder)
    assert done.returncode == 0, done.stderr
    return {manifest["kind"]: manifest for manifest in yaml.safe_load_all(done.stdout) if manifest}


@pytest.mark.parametrize("values", [SMALLEST, LARGEST, MANAGED], ids=["smallest", "largest", "managed"])
async def test_an_api_server_takes_every_manifest(values: dict[str, Any], real: RealKubePart, tmp_path: Path) -> None:
    manifests = rendered(values, tmp_path)
    load: Any = config.new_client_from_config

    async with await load(str(real.kubeconfig), "berlin-admin") as api:
        for kind, manifest in manifests.items():
            group, create = CREATE[kind]
            await getattr(group(api), create)("default", manifest, dry_run="All", field_validation="Strict")


def test_three_replicas_get_a_budget_and_one_keeps_its_files_on_a_volume(tmp_path: Path) -> None:
    one, three = rendered(SMALLEST, tmp_path), rendered(LARGEST, tmp_path)

    assert three.keys() - one.keys() == {"PodDisruptionBudget", "Ingress", "ConfigMap"}
    assert one.keys() - three.keys() == {"PersistentVolumeClaim"}
    assert one["Deployment"]["spec"]["strategy"] == {"type": "Recreate"}


def test_its_variables_are_settings_of_the_bot_and_its_secrets_are_references(tmp_path: Path) -> None:
    [container] = rendered(LARGEST, tmp_path)["Deployment"]["spec"]["template"]["spec"]["containers"]
    variables = {variable["name"]: variable for variable in container["env"]}

    assert variables.keys() - NAMES.keys() == {"KUBECONFIG"}
    assert {
        name: variable["valueFrom"]["secretKeyRef"]["key"]
        for name, variable in variables.items()
        if "valueFrom" in variable
    } == {
        name: name
        for name in ("SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET", "AZURE_CLIENT_SECRET", "REGISTRY_BOT_DATABASE_URL")
    }
    assert variables["REGISTRY_BOT_WATCH_INTERVAL"]["value"] == "30"


def test_files_from_values_are_files_that_the_bot_takes(tmp_path: Path) -> None:
    files = CHART.parents[1] / "config" / "sandbox"
    contents = {
        name: yaml.safe_load((files / f"{name}.yaml").read_text(encoding="utf-8")) for name in ("sites", "access")
    }
    for name, text in rendered(SMALLEST | {"config": contents}, tmp_path)["ConfigMap"]["data"].items():
        (tmp_path / name).write_text(text, encoding="utf-8")

    values, own = (load(folder / "sites.yaml", folder / "access.yaml") for folder in (tmp_path, files))
    assert (values.sites, values.policy) == (own.sites, own.policy)


def test_prometheus_operator_is_told_where_the_metrics_are(tmp_path: Path) -> None:
    manifests = rendered(
        SMALLEST | {"serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}}}, tmp_path
    )

    [endpoint] = manifests["ServiceMonitor"]["spec"]["endpoints"]
    assert endpoint["port"] in {port["name"] for port in manifests["Service"]["spec"]["ports"]}
    assert manifests["ServiceMonitor"]["spec"]["selector"]["matchLabels"].items() <= (
        manifests["Service"]["metadata"]["labels"].items()
    )


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({}, "/slack/existingSecret"),
        (SMALLEST | {"replicas": 2}, "/database/existingSecret"),
        (SMALLEST | {"config": {}}, "/config"),
        (SMALLEST | {"azure": {"clientId": "edge", "tenantId": GUID}}, "/azure/clientId"),
        (SMALLEST | {"env": {"SLACK_BOT_TOKEN": "xoxb-1"}}, "SLACK_BOT_TOKEN"),
        (SMALLEST | {"replica": 2}, "replica"),
        (SMALLEST | {"ingress": {"enabled": True, "host": "bot.example.com", "tlsSecret": "tls"}}, "slack.mode=http"),
    ],
)
def test_values_that_can_not_work_are_refused(values: dict[str, Any], problem: str, tmp_path: Path) -> None:
    refused = helm(values, tmp_path)

    assert refused.returncode != 0
    assert problem in refused.stderr
