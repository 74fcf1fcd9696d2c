"""The `az` and `kubectl` of a shell that a script runs in: each takes the options that the real one takes and no others.

Every call is written to the file that `CALLS` names, a JSON list a line; then it prints what the real one would.
The options are those of azure-cli 2.91.0 (`command_modules/acr/_params.py`, `command_modules/resource/_params.py`) and
of its extension k8s-extension (Learn: az k8s-extension create).
"""

import json
import os
import sys
from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any

SECRET = (
    "ConnectedRegistryName=edge01;SyncTokenName=edge01;SyncTokenPassword=hunter2+ACR/hunter2==;ParentGatewayEndpoint=h"
)
ONE: dict[str, Any] = {"required": True}
ANY: dict[str, Any] = {}
FLAG: dict[str, Any] = {"action": "store_true"}
SEVERAL: dict[str, Any] = {"nargs": "+", "action": "append"}
BOOLEAN: dict[str, Any] = {"choices": ("true", "false")}
REGISTRY: dict[str, dict[str, Any]] = {"--name": ONE, "--registry": ONE, "--resource-group": ANY}
SETTINGS: dict[str, dict[str, Any]] = {
    "--sync-schedule": ANY,
    "--sync-window": ANY,
    "--sync-message-ttl": ANY,
    "--log-level": {"choices": ("Debug", "Information", "Warning", "Error", "None")},
    "--gc-enabled": BOOLEAN,
    "--gc-schedule": ANY,
}
AZ: Mapping[str, dict[str, dict[str, Any]]] = {
    "resource patch": {"--ids": ONE, "--properties": ONE, "--subscription": ANY},
    "provider register": {"--namespace": ONE, "--wait": FLAG},
    "acr create": {
        "--name": ONE,
        "--resource-group": ONE,
        "--location": ANY,
        "--sku": ONE | {"choices": ("Basic", "Standard", "Premium")},
        "--data-endpoint-enabled": BOOLEAN,
    },
    "acr update": {
        "--name": ONE,
        "--resource-group": ANY,
        "--sku": {"choices": ("Basic", "Standard", "Premium")},
        "--data-endpoint-enabled": BOOLEAN,
    },
    "acr show": {"--name": ONE, "--resource-group": ANY},
    "acr delete": {"--name": ONE, "--resource-group": ANY, "--yes": FLAG},
    "acr repository show": {"--name": ONE, "--image": ONE},
    "acr import": {
        "--name": ONE,
        "--resource-group": ANY,
        "--source": ONE,
        "--registry": ANY,
        "--username": ANY,
        "--password": ANY,
        "--image": {"action": "append"},
    },
    "acr scope-map create": REGISTRY | {"--description": ANY, "--repository": SEVERAL, "--gateway": SEVERAL},
    "acr scope-map update": REGISTRY
    | {f"--{verb}-{kind}": SEVERAL for verb in ("add", "remove") for kind in ("repository", "gateway")},
    "acr token create": REGISTRY | {"--scope-map": ANY, "--no-passwords": BOOLEAN},
    "acr token credential generate": REGISTRY | {"--password1": FLAG, "--password2": FLAG, "--expiration": ANY},
    "acr token credential delete": REGISTRY | {"--password1": FLAG, "--password2": FLAG},
    "acr connected-registry create": REGISTRY
    | SETTINGS
    | {
        "--sync-token": ANY,
        "--audit-logs-enabled": BOOLEAN,
        "--parent": ANY,
        "--mode": {"choices": ("ReadOnly", "ReadWrite")},
        "--yes": FLAG,
    },
    "acr connected-registry update": REGISTRY
    | SETTINGS
    | {f"--{verb}-{noun}": {"nargs": "*"} for verb in ("add", "remove") for noun in ("client-tokens", "notifications")},
    "acr connected-registry show": REGISTRY,
    "acr connected-registry delete": REGISTRY | {"--yes": FLAG},
    "acr connected-registry resync": REGISTRY,
    "acr token delete": REGISTRY | {"--yes": FLAG},
    "acr scope-map delete": REGISTRY | {"--yes": FLAG},
    "acr connected-registry deactivate": REGISTRY | {"--yes": FLAG},
    "acr connected-registry get-settings": REGISTRY
    | {
        "--parent-protocol": ONE | {"choices": ("http", "https")},
        "--generate-password": {"choices": ("1", "2")},
        "--yes": FLAG,
    },
    "k8s-extension update": {
        "--name": ONE,
        "--cluster-name": ONE,
        "--cluster-type": ONE,
        "--resource-group": ONE,
        "--release-train": ANY,
        "--version": ANY,
        "--auto-upgrade-minor-version": BOOLEAN,
        "--config": {"nargs": "+"},
        "--config-protected-file": ANY,
        "--yes": FLAG,
    },
    "k8s-extension delete": {
        "--name": ONE,
        "--cluster-name": ONE,
        "--cluster-type": ONE,
        "--resource-group": ONE,
        "--force": FLAG,
        "--yes": FLAG,
    },
    "k8s-extension create": {
        "--name": ONE,
        "--cluster-name": ONE,
        "--cluster-type": ONE
        | {"choices": ("connectedClusters", "managedClusters", "provisionedClusters", "appliances")},
        "--resource-group": ONE,
        "--extension-type": ONE,
        "--release-train": ANY,
        "--version": ANY,
        "--auto-upgrade-minor-version": BOOLEAN,
        "--config": {"nargs": "+"},
        "--config-protected-file": ANY,
    },
}
KUBECTL: Mapping[str, dict[str, dict[str, Any]]] = {
    "create secret generic": {"--type": ANY, "--from-file": ONE},
    "create deployment": {"--image": ONE, "--replicas": ANY, "--port": ANY},
    "create service clusterip": {"--clusterip": ANY, "--tcp": ONE},
    "set image": {},
    "scale": {"--replicas": ONE},
    "patch": {"--patch": ONE},
    "rollout status": {},
    "delete": {"--ignore-not-found": FLAG},
    "get": {"--output": ANY, "--selector": ANY},
    "wait": {"--all": FLAG, "--for": ONE, "--timeout": ANY},
}
EVERYWHERE: Mapping[str, dict[str, dict[str, Any]]] = {
    "az": {"--subscription": ONE, "--query": ANY, "--output": {"choices": ("json", "tsv", "table", "none")}},
    "kubectl": {"--context": ANY, "--namespace": ANY},
}
ANSWERS = {
    "ACR_REGISTRY_CONNECTION_STRING": SECRET,
    "connectionState": "Online",
    "passwords[0].value": "hunter2+ACR/hunter2==",
    "parent.syncProperties.gatewayEndpoint": "h",
    "parent.syncProperties.lastSyncTime": "2026-09-01T08:30:00+00:00",
    "activation.status": "Inactive",
}
"""What is printed, by `--query`."""
STDIN = "/dev/stdin"


def parsed(program: str, words: Sequence[str]) -> tuple[str, Mapping[str, Any]]:
    """The command and its options; ends the process with 2 where the real program would refuse them."""
    heads = list(takewhile(lambda word: not word.startswith("-"), words))
    name = " ".join(heads)
    # The Azure CLI has options alone; kubectl's commands name their objects before the options.
    lengths = range(len(heads), 0, -1) if program == "kubectl" else (len(heads),)
    commands = {"az": AZ, "kubectl": KUBECTL}[program]
    known = [commands[head] for head in (" ".join(heads[:length]) for length in lengths) if head in commands]
    parser = ArgumentParser(prog=f"{program} {name}", allow_abbrev=False)
    for option, settings in (EVERYWHERE[program] | known[0]).items():
        parser.add_argument(option, **settings)
    return name, vars(parser.parse_args(words[len(heads) :]))


def main(program: str, words: Sequence[str]) -> int:
    name, options = parsed(program, words)
    protected = options.get("config_protected_file")
    call: dict[str, Any] = {"command": f"{program} {name}", "words": words, "options": options}
    if protected:
        call["protected"] = json.loads(Path(protected).read_text()), oct(Path(protected).stat().st_mode & 0o777)
    if STDIN in str(options.get("from_file")):
        call["stdin"] = sys.stdin.read()
    with Path(os.environ["CALLS"]).open("a") as file:
        file.write(json.dumps(call) + "\n")
    if options.get("query") == "lastActivityTime":
        # Each look finds a later contact.
        sys.stdout.write(f"{len(Path(os.environ['CALLS']).read_text().splitlines())}\n")
        return 0
    answer = (
        os.environ["CLUSTER"]
        if name == "get configmap azure-clusterconfig"
        else ANSWERS.get(options.get("query") or "")
    )
    sys.stdout.write(
        f"{answer}\r\n" if answer and program == "az" and "STRING" in str(options) else f"{answer or ''}\n"
    )
    return 3 if name == "acr repository show" else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
