"""A site's own certificate from the first installation on, as conversations."""

from pathlib import Path
from typing import Any

from inline_snapshot import snapshot

from tests.certificates import Issued
from tests.flows.conversation import Conversation, conversation, site

DEPLOY = "deploy edge01 --site berlin"


def protected(talk: Conversation) -> dict[str, Any]:
    """The extension's protected settings inside the sandbox."""
    assert talk.box.azure
    cluster = talk.box.azure.cloud.cluster("edge-rg", "berlin-arc")
    assert cluster
    return dict(cluster.extensions["edge01"].protected)


async def test_a_deployment_its_retry_and_a_reinstallation_install_with_the_site_s_own_certificate(
    tmp_path: Path,
) -> None:
    own, other = Issued("edge01", "10.96.0.40"), Issued("edge01", "10.96.0.1")
    berlin = site("berlin", extension={"tls": "certificate", "certificate": other.write(tmp_path)})
    async with conversation(tmp_path, berlin=berlin) as talk:
        await talk.say("check berlin")
        checked = await talk.answer()
        await talk.say(DEPLOY)
        refused = await talk.blockers()
        own.write(tmp_path)
        await talk.edge(scenario="silent-failure", times=1)
        await talk.say(DEPLOY)
        failed = await talk.operation()
        await talk.click("Retry", as_="carol")
        retried, installed = await talk.card_of("berlin"), protected(talk)
        await talk.say("extension reinstall edge01 --site berlin")
        reinstalled, addresses = protected(talk), (await talk.services("berlin")).values()
        words = f"{await talk.messages()} {talk.database.read_bytes()!r}"

    assert refused == snapshot("""\
  :no_entry:  The site's own certificate is for `10.96.0.1`, and not for `10.96.0.2`, by which nodes pull.
  Have one issued with them as subject alternative names.\
""")
    assert refused.splitlines()[0].strip() in checked
    assert (failed.state, "10.96.0.40" in addresses) == ("failed", True)
    assert retried == snapshot("""\
Registry: :white_check_mark:  *Deploy edge01 to berlin*  ·  online, retried by carol
  requested by @alice TIME  ·  development  ·  `op-2`
  7 of 7 steps done, 3 kept as they are
  *Connected registry* edge01 is Online
  *Extension* Succeeded
  *Service IP* `10.96.0.40`
  *Volume* Bound
  *Last sync* TIME
  *Repositories* `hello-world`
  *Took* N s
  [Show details]\
""")
    assert installed.keys() == reinstalled.keys() == {"connectionString", "tls.crt", "tls.key", "tls.cacrt"}
    assert reinstalled["tls.key"] == installed["tls.key"]
    assert reinstalled["connectionString"] != installed["connectionString"]
    assert [secret for secret in (own.key_pem()[40:90], installed["tls.key"][60:120]) if secret in words] == []
