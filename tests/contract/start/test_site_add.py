"""`python -m bot site add` lists what Resource Manager shows, and writes sites that work."""

import io
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from bot import configuration, site_add
from bot.problems import Broken
from bot.settings import NAMES, Settings
from bot.site_add import SiteRequest
from sandbox.compose import Sandbox
from tests.flows.tenants import PLANTS_CLIENT, PLANTS_SECRET, PLANTS_SUBSCRIPTION, PLANTS_TENANT, two_tenants

pytestmark = pytest.mark.asyncio(loop_scope="module")
SUBSCRIPTION = "22222222-2222-4222-8222-222222222222"
FILE = f"""\
# Our sites. Ask the edge team before you change them.
sites:
  oslo:   # the first one
    environment: production
    subscription: {SUBSCRIPTION}
    resource_group: edge-rg
    acr: {{name: contosoacr, create_in: westeurope}}
    cluster:
      name: oslo-arc   # in the basement
      kubernetes: {{context: oslo, hold_namespace: edge}}
    images:
      hello-world: >-
        mcr.microsoft.com/hello-world:latest

  # The next one is only a test.
  lyon:
    environment: test
    subscription: {SUBSCRIPTION}
    resource_group: edge-rg
    acr: {{name: contosoacr}}
    cluster: {{name: lyon-arc}}
# The end.
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def box() -> AsyncIterator[Sandbox]:
    """Two tenants with a subscription each."""
    async with Sandbox(two_tenants(), parts=("azure",)) as sandbox:
        yield sandbox


@dataclass
class Desk:
    """An operator at a terminal."""

    settings: Settings
    answer: bool = False
    questions: list[str] = field(default_factory=list)

    async def add(self, **values: Any) -> str:
        """What the command prints."""
        out = io.StringIO()

        def ask(question: str) -> bool:
            self.questions.append(question)
            return self.answer

        assert await site_add.add(self.settings, SiteRequest(**values), out, ask) == 0
        return out.getvalue()

    async def refusal(self, **values: Any) -> str:
        """Why it does nothing."""
        before = self.file
        with pytest.raises(Broken) as broken:
            await self.add(**values)
        assert self.file == before
        return str(broken.value)

    @property
    def file(self) -> str:
        """The site file."""
        return self.settings.sites.read_text(encoding="utf-8") if self.settings.sites.exists() else ""


@pytest.fixture
def desk(box: Sandbox, tmp_path: Path) -> Desk:
    """With the settings of the sandbox, and an identity in the other tenant."""
    (tmp_path / "identities.yaml").write_text(
        f"identities:\n  plants: {{kind: secret, tenant: {PLANTS_TENANT}, client_id: {PLANTS_CLIENT},"
        f" secret_file: {tmp_path}/secret}}\n"
    )
    (tmp_path / "secret").write_text(PLANTS_SECRET)
    environment = box.environment()
    values: dict[str, Any] = {name: environment[name] for name in environment.keys() & NAMES.keys()}
    values |= {"SLACK_BOT_TOKEN": "xoxb-1", "identity": "secret", "ca_file": environment["SSL_CERT_FILE"]}
    values |= {"sites": tmp_path / "sites.yaml", "identities": tmp_path / "identities.yaml"}
    return Desk(Settings(**values))


async def test_without_a_choice_it_lists_what_there_is(desk: Desk) -> None:
    desk.settings.sites.write_text(FILE)
    lines = (await desk.add()).splitlines()

    assert lines[0] == f"Subscription Contoso Edge ({SUBSCRIPTION})"
    assert "  registry  contosoacr  Premium, westeurope, group edge-rg" in lines
    oslo = next(line for line in lines if "oslo-arc" in line)
    assert oslo.endswith("Connected in norwayeast, group edge-rg; site oslo")
    assert desk.file == FILE


async def test_an_added_site_is_valid_and_everything_else_in_the_file_stays(desk: Desk) -> None:
    desk.settings.sites.write_text(FILE)
    desk.settings.sites.chmod(0o640)
    printed = await desk.add(cluster="Hamburg-Arc", registry="ContosoACR", environment="production")

    sites = configuration.load_sites(desk.settings.sites)
    hamburg = sites["hamburg"]
    assert hamburg.acr_ref.id.endswith("/edge-rg/providers/Microsoft.ContainerRegistry/registries/contosoacr")
    assert (hamburg.cluster_ref.name, hamburg.cluster.kubernetes.context) == ("hamburg-arc", "hamburg")
    before, entry, after = re.split(r"(?ms)^(  hamburg:$.+)(?=^# The end)", desk.file)
    assert before + after == FILE
    assert entry.startswith("  hamburg:\n    # ")
    assert desk.settings.sites.stat().st_mode & 0o777 == 0o640
    assert printed.splitlines()[-1].startswith(f"1 site written to {desk.settings.sites}.")


async def test_many_clusters_at_once_go_into_a_new_file(desk: Desk) -> None:
    await desk.add(pattern="*", environment="test", kubeconfig="/etc/bot/{site}.kubeconfig", access="arc")

    sites = configuration.load_sites(desk.settings.sites)
    assert sorted(sites) == ["hamburg", "lyon", "oslo"]
    assert {site.access for site in sites.values()} == {"arc"}
    assert sites["oslo"].cluster.kubernetes.kubeconfig == "/etc/bot/oslo.kubeconfig"


async def test_a_site_that_exists_is_replaced_only_after_a_question(desk: Desk) -> None:
    desk.settings.sites.write_text(FILE)
    refusal = await desk.refusal(cluster="oslo-arc", environment="test")
    desk.answer = True
    await desk.add(cluster="oslo-arc", environment="test")

    assert desk.questions == [f"{desk.settings.sites} has oslo already. Replace?"] * 2
    assert "--overwrite replaces, --name chooses others" in refusal
    oslo = configuration.load_sites(desk.settings.sites)["oslo"]
    assert (oslo.environment, oslo.images) == ("test", {"hello-world": "mcr.microsoft.com/hello-world:latest"})
    assert (oslo.acr.create_in, oslo.cluster.kubernetes.hold_namespace) == ("westeurope", "edge")
    assert "# The next one is only a test.\n  lyon:\n    environment: test\n" in desk.file
    assert desk.file.startswith("# Our sites.")


async def test_a_dry_run_prints_the_entry_alone(desk: Desk) -> None:
    printed = await desk.add(cluster="oslo-arc", environment="test", dry_run=True)

    assert printed.startswith("  oslo:\n    # ")
    assert desk.file == ""


async def test_another_identity_sees_its_own_tenant(desk: Desk) -> None:
    printed = await desk.add(identity="plants")

    assert f"Subscription Plants ({PLANTS_SUBSCRIPTION})" in printed
    assert "berlin-arc" in printed
    assert SUBSCRIPTION not in printed


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"cluster": "berlin"}, "--cluster: fits no Arc-enabled cluster. Visible are: hamburg-arc, lyon-arc, oslo-arc"),
        ({"cluster": "oslo-arc", "registry": "nowhere"}, "--registry: names no registry. Visible are: contosoacr ("),
        ({"cluster": "oslo-arc", "environment": ""}, "--environment: is missing"),
        (
            {"cluster": "oslo-arc", "environment": "Real Production"},
            "an environment is a word in lower case, such as `real-production`",
        ),
        ({"cluster": "oslo-arc", "subscriptions": ("Elsewhere",)}, f"sees: Contoso Edge ({SUBSCRIPTION})"),
        ({"pattern": "*", "name": "all"}, "two clusters would be the site `all`"),
        ({"cluster": "oslo-arc", "identity": "nobody"}, "there is no identity `nobody`"),
        ({"cluster": "oslo-arc", "access": "arc"}, "`access: arc` needs `cluster.kubernetes.kubeconfig`"),
    ],
)
async def test_what_can_not_be_added_is_refused_with_what_there_is(
    desk: Desk, values: dict[str, Any], problem: str
) -> None:
    assert problem in await desk.refusal(**{"environment": "test"} | values)


@pytest.mark.parametrize("name", ["Contoso Edge", SUBSCRIPTION, f"/subscriptions/{SUBSCRIPTION}"])
async def test_a_subscription_is_taken_by_name_or_id(desk: Desk, name: str) -> None:
    await desk.add(cluster="oslo-arc", environment="test", subscriptions=(name,))

    assert configuration.load_sites(desk.settings.sites)["oslo"].subscription == SUBSCRIPTION


async def test_a_file_in_one_line_is_left_alone(desk: Desk) -> None:
    desk.settings.sites.write_text("sites: {}\n")

    assert "has to map at least one name to a site" in await desk.refusal(cluster="oslo-arc", environment="test")
