"""The kubeconfig for clients: a context for every user of every cluster."""

import base64
from collections.abc import Mapping
from pathlib import Path

import yaml

from sandbox.kube.rbac import AUTHENTICATED, MASTERS, User
from sandbox.kube.resources import Json

USERS = {
    "admin": User("admin", (MASTERS, AUTHENTICATED), "sandbox-admin"),
    "bot": User("bot", (AUTHENTICATED,), "sandbox-bot"),
    "reader": User("reader", (AUTHENTICATED,), "sandbox-reader"),
}
DEFAULT_USER = "bot"


def token(user: str) -> str:
    """The bearer token of a user, valid only in the sandbox."""
    return f"sandbox-{user}-token"


def by_token() -> dict[str, User]:
    """The user of each token."""
    return {token(name): user for name, user in USERS.items()}


def kubeconfig(servers: Mapping[str, tuple[str, bytes]], tokens: Mapping[str, str] | None = None) -> Json:
    """A kubeconfig for these clusters (URL and CA by name), with the users' first tokens or with `tokens`.

    Context NAME uses `bot`, NAME-admin and NAME-reader the others.
    """
    clusters = [
        {
            "name": name,
            "cluster": {"server": url, "certificate-authority-data": base64.b64encode(certificate).decode()},
        }
        for name, (url, certificate) in servers.items()
    ]
    current = {user: token(user) for user in USERS} | dict(tokens or {})
    contexts = [
        {
            "name": name if user == DEFAULT_USER else f"{name}-{user}",
            "context": {"cluster": name, "user": user, "namespace": "default"},
        }
        for name in servers
        for user in USERS
    ]
    contexts.sort(key=lambda one: str(one["name"]))
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "preferences": {},
        "clusters": clusters,
        "users": [{"name": user, "user": {"token": current[user]}} for user in USERS],
        "contexts": contexts,
        "current-context": next(iter(servers), ""),
    }


def write(path: Path, content: Json) -> None:
    """Write a kubeconfig that only its owner can read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(yaml.safe_dump(content, sort_keys=False))
