"""Foreign errors become ours."""

import base64
import json
import os
from pathlib import Path

import pytest
import yaml

from sandbox.faults import Fault, Faults
from sandbox.kube import KubePart
from services.gateways.kubernetes import KubernetesGateway
from services.gateways.kubernetes.cluster import KubernetesCluster
from services.model.errors import DomainError, NotAllowed, NotAuthenticated, Refused, Throttled, Unreachable


def changed(part: KubePart, tmp_path: Path, **user: object) -> str:
    """The kubeconfig with another user."""
    content = yaml.safe_load(part.kubeconfig.read_text())
    for one in content["users"]:
        one["user"] = user
    file = tmp_path / "changed"
    file.write_text(yaml.safe_dump(content))
    return str(file)


def plugin(tmp_path: Path, script: str) -> dict[str, object]:
    """A credential plugin that is a shell script."""
    file = tmp_path / "plugin"
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o700)
    return {"apiVersion": "client.authentication.k8s.io/v1", "command": str(file), "args": []}


async def test_a_missing_kubeconfig_is_told_as_such(gateway: KubernetesGateway, tmp_path: Path) -> None:
    with pytest.raises(Unreachable) as failed:
        await gateway.cluster(str(tmp_path / "nowhere"), "")
    assert failed.value.code == "KubeconfigMissing"


async def test_no_kubeconfig_at_all_is_told_as_such(tmp_path: Path) -> None:
    gateway = KubernetesGateway(environment={"HOME": str(tmp_path)})

    with pytest.raises(Unreachable) as failed:
        await gateway.cluster("", "")
    assert failed.value.code == "KubeconfigMissing"


async def test_a_context_that_the_kubeconfig_lacks_is_named(gateway: KubernetesGateway, part: KubePart) -> None:
    with pytest.raises(Unreachable) as failed:
        await gateway.cluster(str(part.kubeconfig), "paris")
    assert (failed.value.code, "paris" in failed.value.target) == ("ContextMissing", True)


@pytest.mark.parametrize("content", ["", "nonsense", "{unclosed", "clusters: []"])
async def test_a_broken_kubeconfig_is_told_as_such(gateway: KubernetesGateway, tmp_path: Path, content: str) -> None:
    file = tmp_path / "broken"
    file.write_text(content)

    with pytest.raises(Unreachable) as failed:
        await gateway.cluster(str(file), "")
    assert failed.value.code == "KubeconfigInvalid"


async def test_a_credential_plugin_gives_the_identity(
    gateway: KubernetesGateway, part: KubePart, tmp_path: Path
) -> None:
    answer = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "kind": "ExecCredential",
        "status": {"token": "sandbox-bot-token"},
    }
    file = changed(part, tmp_path, exec=plugin(tmp_path, f"echo '{json.dumps(answer)}'"))

    assert await (await gateway.cluster(file, "berlin")).nodes()


async def test_a_failing_credential_plugin_is_quoted_with_its_last_words(
    gateway: KubernetesGateway, part: KubePart, tmp_path: Path
) -> None:
    file = changed(part, tmp_path, exec=plugin(tmp_path, "echo trying >&2; echo 'Please run az login.' >&2; exit 1"))

    with pytest.raises(Unreachable) as failed:
        await gateway.cluster(file, "berlin")
    assert failed.value.code == "CredentialPluginFailed"
    assert failed.value.message.endswith("plugin: Please run az login. (it ended with 1)")


def runs(pid_file: Path) -> bool:
    """Whether the process whose id a file holds still runs."""
    return Path(f"/proc/{pid_file.read_text().strip()}").exists()


async def test_a_credential_plugin_that_waits_for_a_person_is_ended_and_quoted(part: KubePart, tmp_path: Path) -> None:
    script = f"echo 'enter the code ABCD' >&2; echo $$ > {tmp_path}/pid; sleep 60"
    file = changed(part, tmp_path, exec=plugin(tmp_path, script))
    gateway = KubernetesGateway(deadline=2)

    with pytest.raises(Unreachable) as failed:
        await gateway.cluster(file, "berlin")
    await gateway.close()
    assert failed.value.code == "CredentialPluginSilent"
    assert failed.value.message.endswith("gave no answer in 1.5 s: enter the code ABCD")
    assert not runs(tmp_path / "pid")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"command": "/nowhere/kubelogin", "installHint": "Get it from example.com."}, "CredentialPluginMissing"),
        ({"interactiveMode": "Always"}, "CredentialPluginInteractive"),
    ],
)
async def test_a_credential_plugin_that_can_not_serve_a_bot_is_told_as_such(
    gateway: KubernetesGateway, part: KubePart, tmp_path: Path, changes: dict[str, object], code: str
) -> None:
    file = changed(part, tmp_path, exec=plugin(tmp_path, "exit 0") | changes)

    with pytest.raises(Unreachable) as failed:
        await gateway.cluster(file, "berlin")
    assert failed.value.code == code


async def test_the_kubeconfig_of_the_environment_is_used_when_none_is_given(part: KubePart) -> None:
    gateway = KubernetesGateway(environment={"KUBECONFIG": str(part.kubeconfig)})

    assert await (await gateway.cluster("", "lyon")).version() == "v1.29.9"
    await gateway.close()


async def test_of_several_kubeconfigs_the_first_with_a_name_counts_and_names_files_beside_it(
    gateway: KubernetesGateway, part: KubePart, tmp_path: Path
) -> None:
    content = yaml.safe_load(part.kubeconfig.read_text())
    (berlin,) = [cluster for cluster in content["clusters"] if cluster["name"] == "berlin"]
    authority = base64.b64decode(berlin["cluster"].pop("certificate-authority-data"))
    berlin["cluster"]["certificate-authority"] = "ca.pem"
    (tmp_path / "ca.pem").write_bytes(authority)
    first, second = tmp_path / "first", tmp_path / "second"
    first.write_text(yaml.safe_dump({"clusters": [berlin], "current-context": "berlin"}))
    del berlin["cluster"]["certificate-authority"]
    second.write_text(yaml.safe_dump(content | {"current-context": "lyon"}))

    lyon, berlin = [await gateway.cluster(f"{first}:{second}", context) for context in ("lyon", "berlin")]
    assert (await lyon.version(), await berlin.version()) == ("v1.29.9", "v1.37.2")


async def test_a_site_without_a_context_never_gets_the_current_one_of_several(
    gateway: KubernetesGateway, part: KubePart, tmp_path: Path
) -> None:
    content = yaml.safe_load(part.kubeconfig.read_text())
    single = tmp_path / "single"
    contexts = [context for context in content["contexts"] if context["name"] == "lyon"]
    single.write_text(yaml.safe_dump(content | {"contexts": contexts, "current-context": "nowhere"}))

    with pytest.raises(Unreachable) as failed:
        await gateway.cluster(str(part.kubeconfig), "")
    assert (failed.value.code, "berlin, " in failed.value.message) == ("ContextUnset", True)
    assert await (await gateway.cluster(str(single), "")).version() == "v1.29.9"


async def test_one_client_serves_a_context(gateway: KubernetesGateway, part: KubePart) -> None:
    first = await gateway.cluster(str(part.kubeconfig), "berlin")

    assert await gateway.cluster(str(part.kubeconfig), "berlin") is first


async def test_a_token_that_nobody_knows_is_not_authenticated(
    gateway: KubernetesGateway, part: KubePart, tmp_path: Path
) -> None:
    cluster = await gateway.cluster(changed(part, tmp_path, token="expired"), "berlin")

    with pytest.raises(NotAuthenticated):
        await cluster.nodes()


async def test_an_offline_cluster_is_unreachable(berlin: KubernetesCluster, part: KubePart) -> None:
    part.set_offline("berlin", offline=True)

    with pytest.raises(Unreachable):
        await berlin.nodes()


async def test_a_server_that_does_not_answer_is_unreachable_after_the_deadline(part: KubePart, faults: Faults) -> None:
    gateway = KubernetesGateway(deadline=0.2, environment={})
    cluster = await gateway.cluster(str(part.kubeconfig), "berlin")
    faults.add(Fault("kube", "nodes", action="delay", seconds=60))

    with pytest.raises(Unreachable) as failed:
        await cluster.nodes()
    assert failed.value.code == "DeadlineExceeded"
    await gateway.close()


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (500, Unreachable),
        (503, Unreachable),
        (429, Throttled),
        (403, NotAllowed),
        (401, NotAuthenticated),
        (400, Refused),
    ],
)
async def test_a_status_is_told_as_the_error_it_means(
    berlin: KubernetesCluster, faults: Faults, status: int, kind: type[DomainError]
) -> None:
    faults.add(Fault("kube", "nodes", status=status))

    with pytest.raises(kind):
        await berlin.nodes()


async def test_an_untrusted_certificate_is_unreachable(
    gateway: KubernetesGateway, part: KubePart, tmp_path: Path
) -> None:
    content = yaml.safe_load(part.kubeconfig.read_text())
    for one in content["clusters"]:
        del one["cluster"]["certificate-authority-data"]
    file = tmp_path / "untrusting"
    file.write_text(yaml.safe_dump(content))

    with pytest.raises(Unreachable) as failed:
        await (await gateway.cluster(str(file), "berlin")).version()
    assert "certificate verify failed" in failed.value.message


async def test_a_kubeconfig_that_has_changed_is_read_again(
    gateway: KubernetesGateway, part: KubePart, tmp_path: Path
) -> None:
    file = changed(part, tmp_path, token="expired")
    before = await gateway.cluster(file, "berlin")
    changed(part, tmp_path, token="sandbox-bot-token")
    os.utime(file, ns=(1, 1))

    after = await gateway.cluster(file, "berlin")
    assert after is not before
    assert await after.nodes()
