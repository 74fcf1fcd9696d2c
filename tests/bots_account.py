"""The identity that an operator gives the bot in a cluster: the manifests of deploy/rbac, and a token of its account."""

import base64
import ssl
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from sandbox.controlplane.api import Api
from sandbox.kube.kubeconfig import token as token_of

FOLDER = Path(__file__).parents[1] / "deploy" / "rbac"
ACCOUNT = "/api/v1/namespaces/registry-bot/serviceaccounts/registry-bot"
NAME = "system:serviceaccount:registry-bot:registry-bot"
_PATHS = {
    "Namespace": "/api/v1/namespaces",
    "ServiceAccount": "/api/v1/namespaces/{}/serviceaccounts",
    "ClusterRole": "/apis/rbac.authorization.k8s.io/v1/clusterroles",
    "ClusterRoleBinding": "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
    "Role": "/apis/rbac.authorization.k8s.io/v1/namespaces/{}/roles",
    "RoleBinding": "/apis/rbac.authorization.k8s.io/v1/namespaces/{}/rolebindings",
}


def manifests() -> list[dict[str, Any]]:
    """What an operator applies before the first deployment."""
    files = [FOLDER / f"{name}.yaml" for name in ("read-only", "deploying", "workloads", "images")]
    return [one for file in files for one in yaml.safe_load_all(file.read_text(encoding="utf-8"))]


async def open_admin(kubeconfig: Path, cluster: str) -> Api:
    """The administrator's access to a cluster; close it in the end."""
    one = next(item["cluster"] for item in _content(kubeconfig)["clusters"] if item["name"] == cluster)
    trust = ssl.create_default_context(cadata=base64.b64decode(one["certificate-authority-data"]).decode())
    return Api(one["server"], token_of("admin"), trust)


async def account(admin: Api, granted: Iterable[dict[str, Any]]) -> str:
    """Apply the manifests; a token of the account that they bind."""
    for one in granted:
        await admin.create(_PATHS[one["kind"]].format(one["metadata"].get("namespace", "")), one)
    answer = await admin.create(f"{ACCOUNT}/token", {"spec": {"expirationSeconds": 3600}}) or {}
    return str(answer["status"]["token"])


async def kubeconfig_of_the_bot(kubeconfig: Path, clusters: Iterable[str], folder: Path) -> Path:
    """A kubeconfig whose contexts are the clusters, each with the bot's own account in it."""
    content = _content(kubeconfig)
    users, contexts = [], []
    for cluster in clusters:
        async with await open_admin(kubeconfig, cluster) as admin:
            users.append({"name": cluster, "user": {"token": await account(admin, manifests())}})
        contexts.append({"name": cluster, "context": {"cluster": cluster, "user": cluster}})
    file = folder / "kubeconfig-of-the-bot"
    file.write_text(yaml.safe_dump(content | {"users": users, "contexts": contexts, "current-context": ""}))
    return file


def _content(kubeconfig: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(kubeconfig.read_text())
    return found
