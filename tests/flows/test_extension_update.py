"""Changing the extension that runs a connected registry, as conversations."""

import base64
from pathlib import Path
from typing import Any

import pytest
from inline_snapshot import snapshot

from tests.certificates import Issued
from tests.flows.conversation import Conversation, conversation, site

UPDATE = "extension update edge01 --site berlin"


@pytest.fixture
async def deployed(registry: Conversation) -> Conversation:
    """With edge01 online at berlin."""
    await registry.say("deploy edge01 --site berlin")
    registry.said.clear()
    return registry


def extension(registry: Conversation) -> Any:
    """The extension inside the sandbox, with its secrets."""
    assert registry.box.azure
    cluster = registry.box.azure.cloud.cluster("edge-rg", "berlin-arc")
    assert cluster
    return cluster.extensions["edge01"]


async def answers(registry: Conversation, *lines: str) -> list[str]:
    """What is read after each line."""
    texts = []
    for line in lines:
        await registry.say(line)
        texts.append(await registry.answer())
    return texts


async def test_what_is_named_changes_and_everything_else_of_the_extension_stays(deployed: Conversation) -> None:
    before, secret = dict(extension(deployed).settings), dict(extension(deployed).protected)
    version = f"{UPDATE} --version 0.10.0 --trust-node-selector on"
    texts = await answers(deployed, f"{version} --dry-run", version, version)
    pinned = extension(deployed)
    release, settings = (pinned.version, pinned.auto_upgrade), dict(pinned.settings)
    await deployed.say(f"{UPDATE} --auto-upgrade on --trust-node-selector off")

    assert texts == snapshot(
        [
            """\
Registry (only you): :mag:  *Update the extension of edge01 at berlin*  ·  dry run
  requested by @alice TIME  ·  development  ·  `op-1`
  :warning:  The runtime of `edge01` starts again, and nobody can pull from it meanwhile: a minute or two.
  :warning:  No node bears the label `containerd-configured-by=connected-registry`, so that none learns to trust the certificate, and none can pull.
  Label those that are to pull.
  *Plan: 2 steps*
  :white_circle:  Change: Extension edge01  ·  version 0.11.0 → 0.10.0, automatic upgrades on → off, trustDistribution.useNodeSelector false → true
  :white_circle:  Verify: Deployment of edge01 is available in the cluster
  This was a dry run: nothing was written.
  [Show details]\
""",
            """\
Registry: :white_check_mark:  *Update the extension of edge01 at berlin*  ·  updated
  requested by @alice TIME  ·  development  ·  `op-1`
  2 of 2 steps done
  *Changed* version 0.11.0 → 0.10.0, automatic upgrades on → off, trustDistribution.useNodeSelector false → true
  *Took* N s
  [Show details]\
""",
            """\
Registry: :white_check_mark:  *Update the extension of edge01 at berlin*  ·  nothing to change
  requested by @alice TIME  ·  development  ·  `op-1`
  There was nothing to do: everything is as requested.
  [Show details]\
""",
        ]
    )
    assert (release, settings) == (("0.10.0", False), before | {"trustDistribution.useNodeSelector": "true"})
    assert (extension(deployed).auto_upgrade, extension(deployed).protected) == (True, secret)


async def test_a_certificate_of_ones_own_goes_with_a_new_connection_string_and_back(deployed: Conversation) -> None:
    [own] = await answers(deployed, f"{UPDATE} --tls secret --tls-secret edge-certificate --dry-run")
    await deployed.say(f"{UPDATE} --tls secret --tls-secret edge-certificate")
    protected = dict(extension(deployed).protected)
    texts = await answers(deployed, f"{UPDATE} --tls http --dry-run", f"{UPDATE} --tls cert-manager")
    extension(deployed).protected["proxy.password"] = "hidden"
    await deployed.say(f"{UPDATE} --tls secret --tls-secret edge-certificate")

    assert own == snapshot("""\
Registry (only you): :mag:  *Update the extension of edge01 at berlin*  ·  dry run
  requested by @alice TIME  ·  development  ·  `op-1`
  :warning:  The runtime of `edge01` starts again, and nobody can pull from it meanwhile: a minute or two.
  :warning:  The cert-manager that the extension `edge01` brought along is removed with this change. Certificates of others that it renews are not renewed any more.
  :warning:  Nobody has looked into the Secret `edge-certificate`: the bot may not read Secrets. It has to be in the namespace `connected-registry` with `ca.crt`, `tls.crt` and `tls.key`, and its certificate has to name the Service address.
  Look whether it is there.
  *Plan: 2 steps*
  :white_circle:  Change: Extension edge01  ·  cert-manager.enabled true → false, cert-manager.install true → false, certificate from the Secret edge-certificate, new connection string with passwo…
  :white_circle:  Verify: Deployment of edge01 is available in the cluster
  This was a dry run: nothing was written.
  [Show details]\
""")
    assert texts == snapshot(
        [
            """\
Registry (only you): :mag:  *Update the extension of edge01 at berlin*  ·  dry run
  requested by @alice TIME  ·  development  ·  `op-1`
  :warning:  The runtime of `edge01` starts again, and nobody can pull from it meanwhile: a minute or two.
  :warning:  `edge01` is served over plain HTTP: passwords of client tokens and images travel unencrypted, and each node has to be told that its registry is insecure.
  Only for a network that nobody else is in. Workloads that pull over HTTPS can't pull any more.
  *Plan: 2 steps*
  :white_circle:  Change: Extension edge01  ·  httpEnabled false → true
  :white_circle:  Verify: Deployment of edge01 is available in the cluster
  This was a dry run: nothing was written.
  [Show details]\
""",
            """\
Registry: :white_check_mark:  *Update the extension of edge01 at berlin*  ·  updated
  requested by @alice TIME  ·  development  ·  `op-1`
  2 of 2 steps done
  *Changed* cert-manager.enabled false → true, new connection string with password1 of edge01
  *Took* N s
  [Show details]\
""",
        ]
    )
    assert protected.keys() == {"connectionString", "tls.secret"}
    assert await deployed.blockers() == snapshot("""\
  :no_entry:  The extension `edge01` has further protected settings (`proxy.password`). Azure replaces them only as a whole and never shows them, so that the change would delete them.
  Whoever has them can send them together with a new connection string: `az k8s-extension update --config-protected-file`.\
""")
    assert protected["connectionString"] not in str(await deployed.messages())


async def test_a_version_that_does_not_exist_fails_and_another_one_mends_it(deployed: Conversation) -> None:
    await deployed.say(f"{UPDATE} --version 0.1.0")
    failed = await deployed.card_of("berlin")
    await deployed.say(f"{UPDATE} --version 0.11.0")
    mended = await deployed.card_of("berlin")
    slips = await answers(
        deployed,
        UPDATE,
        f"{UPDATE} --version 0.11.0 --auto-upgrade on",
        f"{UPDATE} --tls secret",
        f"{UPDATE} --dns-name edge01",
        "extension update edge10 --site berlin --auto-upgrade off",
    )
    await deployed.edge(scenario="silent-failure", times=1)
    await deployed.say(f"{UPDATE} --trust-distribution off --service-type NodePort --dns-name edge01.example.com")
    await deployed.click("Retry", as_="carol")

    assert failed == snapshot("""\
Registry: :x:  *Update the extension of edge01 at berlin*  ·  failed
  requested by @alice TIME  ·  development  ·  `op-2`
  0 of 2 steps done, stopped at *Change: Extension edge01*
  The extension `edge01` did not take the change: it is `Failed` (`release edge01 failed: chart path not found. Helm installation failed : Unable to create/update Kubernetes resources for the extension`).
  See to what it complains of. `extension update` with other values installs it again. A retry sends the same values once more.
  `az k8s-extension show --name edge01 --cluster-name berlin-arc --cluster-type connectedClusters --resource-group edge-rg --subscription ID`
  Left behind: perhaps Extension edge01.
  [Retry] [Show details]\
""")
    assert mended == snapshot(
        """\
Registry: :white_check_mark:  *Update the extension of edge01 at berlin*  ·  updated
  requested by @alice TIME  ·  development  ·  `op-3`
  2 of 2 steps done
  *Changed* version 0.11.0
  *Took* N s
  [Show details]\
"""
    )
    assert slips == snapshot(
        [
            "Registry (only you): Nothing is to change. Name at least one: `--version`, `--release-train`, `--auto-upgrade`, `--tls`, `--trust-distribution`, `--trust-node-selector`, `--service-type` or `--dns-name`.",
            "Registry (only you): A version that is named is kept, so `--auto-upgrade` can't be `on` with it. Leave one of the two out.",
            "Registry (only you): `--tls secret` and `--tls-secret` belong together: the second names a Secret in the namespace of the extension.",
            "Registry (only you): `edge01` is not a DNS name. `--dns-name` takes one such as `edge01.example.com`.",
            """\
Registry: :no_entry:  *Update the extension of edge10 at berlin*  ·  blocked
  requested by @alice TIME  ·  development  ·  `op-1`
  :no_entry:  The cloud registry `contosoacr` has no connected registry `edge10`.
  Check the name; similar ones: `edge01`.
  `az acr connected-registry list --registry contosoacr --resource-group edge-rg --subscription ID --output table`
  [Show details]\
""",
        ]
    )
    assert (await deployed.operation()).state == "succeeded"
    async with deployed.kubectl() as core:
        service = await core.read_namespaced_service("connected-registry", "connected-registry")
    assert service.spec.type == "NodePort"


async def test_the_site_s_own_certificate_is_checked_sent_and_goes_on_with_each_new_password(tmp_path: Path) -> None:
    own, other = Issued("edge01", "10.96.0.40"), Issued("edge01", "10.96.0.41")
    berlin = site("berlin", extension={"service_ip": "10.96.0.40", "certificate": other.write(tmp_path)})
    async with conversation(tmp_path, berlin=berlin) as talk:
        await talk.say("deploy edge01 --site berlin")
        await talk.say(f"{UPDATE} --tls certificate")
        refused = await talk.blockers()
        own.write(tmp_path)
        [updated] = await answers(talk, f"{UPDATE} --tls certificate")
        protected = dict(extension(talk).protected)
        async with talk.kubectl() as core:
            secret = await core.read_namespaced_secret("connected-registry-tls", "connected-registry")
        await talk.say("token rotate edge01 --site berlin", quiet=False)
        for step in ("token.contact", "token.still_in_contact"):
            await talk.running(step)
            await talk.post("/sandbox/clock", turn=60)
        await talk.quiet()
        rotated = await talk.answer()
        renewed = dict(extension(talk).protected)
        await talk.say(f"operation script {(await talk.operation()).id}")
        traces = await talk.traces()

    assert refused == snapshot("""\
  :no_entry:  The site's own certificate is for `10.96.0.41`, and not for `10.96.0.40`, by which nodes pull.
  Have one issued with them as subject alternative names.\
""")
    assert updated == snapshot("""\
Registry: :white_check_mark:  *Update the extension of edge01 at berlin*  ·  updated
  requested by @alice TIME  ·  development  ·  `op-1`
  2 of 2 steps done
  *Changed* cert-manager.enabled true → false, cert-manager.install true → false, own certificate for 10.96.0.40 until 2035-12-30, SHA-256 DIGEST…, new connection string with password2 of edge01
  *Took* N s
  [Show details]\
""")
    assert rotated == snapshot("""\
Registry: :white_check_mark:  *Rotate the sync token of edge01 at berlin*  ·  rotated
  requested by @alice TIME  ·  development  ·  `op-1`
  4 of 4 steps done
  *In use* password1 of edge01
  *Ended* password2 of edge01
  *Last contact* TIME
  *Took* N s
  [Show details]\
""")
    assert base64.b64decode(secret.data["tls.key"]).decode() == own.key_pem()
    assert protected.keys() == {"connectionString", "tls.crt", "tls.key", "tls.cacrt"}
    assert protected["tls.key"] == renewed["tls.key"]
    assert protected["connectionString"] != renewed["connectionString"]
    secrets = (own.key_pem()[40:90].encode(), protected["tls.key"][60:120].encode())
    assert [place for place, text in traces.items() if any(secret in text for secret in secrets)] == []
