"""What a connected registry has, asked from inside its cluster.

Its address means something there alone, and its clients need the password of a client token, which nobody can read
again. So a Job of one Pod asks: the kubelet hands it a pull secret that is there already, and the bot reads its log.
"""

import asyncio
import hashlib
import json
import re
import secrets
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path

from services.gateways.kubernetes.api import Api
from services.gateways.kubernetes.objects import Object, phase
from services.gateways.kubernetes.placeholders import MANAGED_BY
from services.gateways.kubernetes.rights import CREATE_JOB, DELETE_JOB, GET_LOG, LIST_EVENTS, LIST_PODS
from services.gateways.kubernetes.runtime import waiting_reason, warnings
from services.model.contents import EdgeContents, EdgeQuestion, EdgeSilence, EdgeTag
from services.model.errors import Absent, Conflict, Unreachable
from services.model.redaction import short

JOB_LABEL = "registry-bot/job"
DEADLINE = 60.0
"""Seconds for the Pod to be placed, to get its image and to ask."""
LIFETIME = 120
"""Seconds after which Kubernetes deletes a Job that has ended, should the bot not be there to do it."""
MAX_LOG = 8 * 2**20
_LOOK, _LOOKS_SHARE = 0.5, 0.25
"""Seconds between two looks at a Pod: half a second at first, then a quarter of the time that it has taken.

A Pod that starts at once is read at once, and a thousand that take long do not use up the bot's processor.
"""
_DELETION = 3.0
"""Seconds that the answer waits for the Job's deletion. Of a cluster that is away by then Kubernetes deletes it."""
_NO_START = frozenset({"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "CreateContainerConfigError"})
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_NOBODY = 65532
"""The user of distroless images; any that is not root will do."""


@cache
def program() -> str:
    """The text of what runs in the Pod."""
    return Path(__file__).with_name("edge_reader.py").read_text(encoding="utf-8")


async def contents(api: Api, question: EdgeQuestion) -> Mapping[str, EdgeContents]:
    """By repository. The Job is deleted in the end, whatever happens; a Pod that does not start is silence."""
    name = job_name(question)
    await _create(api, name, question)
    try:
        return await _answer(api, name, question)
    finally:
        await _leave(api, name, question.namespace)


def job_name(question: EdgeQuestion) -> str:
    """By the question's key; a name that nobody else has where it has none."""
    key = hashlib.sha256(question.key.encode()).hexdigest()[:16] if question.key else secrets.token_hex(8)
    return f"registry-bot-images-{key}"


async def _create(api: Api, name: str, question: EdgeQuestion) -> None:
    """Unless a process that died has done it, and the Pod has not run out of time since."""
    right, manifest = CREATE_JOB.inside(question.namespace), job_manifest(name, question)
    try:
        await api.ask(right, body=manifest)
    except Conflict:
        if not await _pods(api, name, question.namespace):
            await _delete(api, name, question.namespace)
            await api.ask(right, body=manifest)


async def _pods(api: Api, name: str, namespace: str) -> list[Object]:
    """Of the Job; one that goes belongs to a former Job of this name."""
    pods = await api.everything(LIST_PODS.inside(namespace), {"labelSelector": f"{JOB_LABEL}={name}"})
    return [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]


async def _answer(api: Api, name: str, question: EdgeQuestion) -> Mapping[str, EdgeContents]:
    began = asyncio.get_running_loop().time()
    pod: Object = {}
    while (passed := asyncio.get_running_loop().time() - began) < DEADLINE:
        await asyncio.sleep(max(_LOOK, passed * _LOOKS_SHARE))
        pod = next(iter(await _pods(api, name, question.namespace)), {})
        if phase(pod) in {"Succeeded", "Failed"}:
            query = {"container": "reader", "limitBytes": str(MAX_LOG)}
            log = await api.text(GET_LOG.inside(question.namespace), pod["metadata"]["name"], query, limit=MAX_LOG)
            return read_log(log, question)
        if pod and waiting_reason(pod) in _NO_START:
            break
    events = await api.everything(LIST_EVENTS.inside(question.namespace), {"fieldSelector": "type=Warning"})
    # Those of the Job tell of a quota, those of its Pod of anything else; the Pod's name begins with the Job's.
    own = [event for event in events if str((event.get("involvedObject") or {}).get("name")).startswith(name)]
    reason = next(reversed(warnings(own)), "") or waiting_reason(pod) or "its Pod did not end in time"
    return dict.fromkeys(question.secrets, EdgeSilence("NoProgram", short(reason)))


async def _leave(api: Api, name: str, namespace: str) -> None:
    """Delete the Job, also of a command that is cancelled, and keep nobody waiting for a cluster that has gone away."""
    with suppress(TimeoutError, Unreachable):
        async with asyncio.timeout(_DELETION):
            await _delete(api, name, namespace)


async def _delete(api: Api, name: str, namespace: str) -> None:
    options = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background"}
    try:
        await api.ask(DELETE_JOB.inside(namespace), name, body=options)
    except Absent:
        return


def read_log(log: str, question: EdgeQuestion) -> dict[str, EdgeContents]:
    """What the program has printed. A repository without a last line, or with other tags than it counts, is silence."""
    tags: dict[str, dict[str, EdgeTag]] = {repository: {} for repository in question.secrets}
    ends: dict[str, EdgeContents] = {}
    for line in log.splitlines():
        try:
            entry = json.loads(line)
            repository = entry["repository"]
            if "tag" in entry:
                digests = (entry["digest"], *entry["missing"])
                if not all(_DIGEST.fullmatch(digest) for digest in digests):
                    raise ValueError  # noqa: TRY301 - what is no digest is as unreadable as what is no JSON
                tags[repository][str(entry["tag"])] = EdgeTag(digests[0], digests[1:])
            elif "error" in entry:
                ends[repository] = EdgeSilence(str(entry["error"]), short(str(entry.get("detail") or "")))
            elif entry["tags"] == len(tags[repository]):
                ends[repository] = tags[repository]
        except (ValueError, LookupError, TypeError):
            continue
    silence = EdgeSilence("Unreadable", short(log.splitlines()[-1]) if log.strip() else "it printed nothing")
    return {repository: ends.get(repository, silence) for repository in question.secrets}


def job_manifest(name: str, question: EdgeQuestion) -> Object:
    """One attempt, one Pod, no rights in the cluster, and the least of a container."""
    labels = {**MANAGED_BY, JOB_LABEL: name}
    variables = {repository: f"PULL_SECRET_{number}" for number, repository in enumerate(question.secrets)}
    argument = {
        "server": question.server,
        "account": question.account or question.server,
        "repositories": variables,
        "tags": question.tags,
    }
    environment = [
        {
            "name": variables[repository],
            "valueFrom": {"secretKeyRef": {"name": secret, "key": ".dockerconfigjson", "optional": True}},
        }
        for repository, secret in question.secrets.items()
    ]
    container = {
        "name": "reader",
        "image": question.image,
        "command": ["python3", "-I", "-c", program(), json.dumps(argument)],
        "env": environment,
        "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"cpu": "500m", "memory": "128Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }
    pod = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": _NOBODY,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container],
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "labels": labels},
        "spec": {
            "backoffLimit": 0,
            "activeDeadlineSeconds": int(DEADLINE),
            "ttlSecondsAfterFinished": LIFETIME,
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }
