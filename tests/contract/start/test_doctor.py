"""`python -m bot doctor` asks everything that the bot depends on, and says what is so, what is not, and what to do."""

import asyncio
import base64
import json
import sqlite3
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import yaml

import bot
from bot import configuration, doctor
from bot.collector import Collector
from bot.configuration import Files
from bot.settings import NAMES, Settings
from sandbox.compose import Sandbox
from sandbox.environment import for_command
from services.gateways.azure.identity import Identity
from services.gateways.azure.rights import ASSIGNING
from services.gateways.kubernetes.access import token_expiry
from services.model.secret import Secret
from services.store import open_store
from tests.span_collector import collecting

pytestmark = pytest.mark.asyncio(loop_scope="module")

ROOT = Path(bot.__file__).parents[1]
CONFIG = ROOT / "config" / "sandbox"
FILES = configuration.load(CONFIG / "sites.yaml", CONFIG / "access.yaml")
Given = Callable[..., Settings]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sandbox() -> AsyncIterator[Sandbox]:
    """Slack, Azure and clusters, which all tests of this module share."""
    manifest = yaml.safe_load((ROOT / "manifest.yml").read_text(encoding="utf-8"))
    async with Sandbox(parts=("slack", "azure", "kube"), manifest=manifest) as box:
        yield box


@pytest.fixture
def box(sandbox: Sandbox) -> Iterator[Sandbox]:
    """The same, put back afterwards; the bot has the custom roles for deploying."""
    assert sandbox.slack
    assert sandbox.azure
    app, principals = sandbox.slack.workspace.app, sandbox.azure.cloud.principals
    before = dict(principals)
    grant(sandbox, "writer", "subscription")
    yield sandbox
    sandbox.slack.workspace.app = app
    principals.update(before)


@pytest.fixture
def given(box: Sandbox, tmp_path: Path) -> Given:
    """Settings that work, but for those that a test changes."""
    environment = box.environment()
    names = environment.keys() & NAMES.keys()

    def settings(**changes: Any) -> Settings:
        values: dict[str, Any] = {name: environment[name] for name in names}
        values |= {"identity": "secret", "ca_file": environment["SSL_CERT_FILE"], "data_dir": tmp_path}
        return Settings(**(values | changes))

    return settings


def grant(box: Sandbox, *roles: str, but: str = "", also: tuple[str, ...] = ()) -> None:
    """Give the bot's identity what these roles of deploy/azure list."""
    assert box.azure
    contents = [json.loads((ROOT / "deploy" / "azure" / f"{role}.json").read_text(encoding="utf-8")) for role in roles]
    actions = (*(action for content in contents for action in content["Actions"] if action != but), *also)
    client = box.environment()["AZURE_CLIENT_ID"]
    box.azure.cloud.principals[client] = replace(box.azure.cloud.principals[client], actions=actions)


def scoped(box: Sandbox, *, without: str = "", beside: str = "") -> None:
    """Change the scopes that the app was installed with."""
    assert box.slack
    app = box.slack.workspace.app
    scopes = (app.scopes or frozenset()) - {without} | ({beside} if beside else set())
    box.slack.workspace.app = replace(app, scopes=scopes)


def files(*sites: str, context: str = "") -> Files:
    """These sites of the sandbox; with `context`, the clusters are reached by that one."""
    chosen = {name: FILES.sites[name] for name in sites}
    if context:
        access = {"cluster": {"name": f"{sites[0]}-arc", "kubernetes": {"context": context}}}
        chosen = {name: site.model_validate(site.model_dump() | access) for name, site in chosen.items()}
    return Files(chosen, FILES.policy)


async def lines(box: Sandbox, settings: Settings, chosen: Files) -> dict[str, str]:
    """By subject, what is printed after it; the level first."""
    answers = await doctor.ask(settings, chosen, box.environment())
    return {answer.subject: str(answer).replace(f"{answer.subject}: ", "") for answer in answers}


async def started(folder: Path) -> None:
    """Leave the database that a bot makes when it starts."""
    await (await open_store(f"sqlite:///{folder / 'bot.db'}")).close()


async def test_where_all_is_well_each_question_has_its_line_and_what_is_not_asked_is_not_ok(
    box: Sandbox, given: Given, tmp_path: Path
) -> None:
    await started(tmp_path)
    answers = await doctor.ask(given(), files("berlin", "oslo"), box.environment())

    rights = "the bot has what reading and deploying need, and nothing that gives it everything."
    assert [str(answer) for answer in answers if answer.subject != "free disk"] == [
        "ok    database: it answers, and its tables are those of this version.",
        "ok    Slack bot token: it is valid for the workspace Contoso, with the manifest's scopes and no others.",
        "ok    Slack app token: Slack offers a socket for it.",
        (
            "ok    Azure subscription 22222222-2222-4222-8222-222222222222: Azure accepts the bot's identity, which may read"
            " the resource providers."
        ),
        f"ok    Azure rights at registry contosoacr: {rights}",
        f"ok    Azure rights at cluster berlin-arc: {rights}",
        f"ok    Azure rights at cluster oslo-arc: {rights}",
        "ok    clock: this machine's clock and Azure's differ by less than a minute.",
        "ok    cluster of site berlin: v1.33.4, the site's own Arc-enabled cluster, and the bot has the rights it needs.",
        "WARN  cluster of site oslo: not asked: the site file says `access: none`.",
    ]


async def test_everything_that_does_not_answer_is_named_and_the_rest_is_asked_all_the_same(
    box: Sandbox, given: Given
) -> None:
    settings = given(SLACK_APP_TOKEN="xapp-1-A0-wrong", AZURE_AUTHORITY_HOST="https://127.0.0.1:1")
    answers = await doctor.ask(settings, files("berlin", context="nowhere"), box.environment())

    assert [(answer.level, answer.subject) for answer in answers if answer.subject != "free disk"] == [
        ("WARN", "database"),
        ("ok", "Slack bot token"),
        ("FAIL", "Slack app token"),
        ("FAIL", "Azure subscription 22222222-2222-4222-8222-222222222222"),
        ("FAIL", "Azure rights at registry contosoacr"),
        ("FAIL", "Azure rights at cluster berlin-arc"),
        ("WARN", "clock"),
        ("FAIL", "cluster of site berlin"),
    ]


async def test_an_identity_that_is_not_accepted_fails_once_and_its_rights_are_not_asked(
    box: Sandbox, given: Given
) -> None:
    answers = await lines(box, given(AZURE_CLIENT_SECRET="an old secret"), files("berlin"))

    assert {subject: line[:9] for subject, line in answers.items() if subject.startswith("Azure")} == {
        "Azure subscription 22222222-2222-4222-8222-222222222222": "FAIL  Mic",
        "Azure rights at registry contosoacr": "WARN  not",
        "Azure rights at cluster berlin-arc": "WARN  not",
    }


async def test_scopes_that_the_bot_token_lacks_and_scopes_that_nobody_needs_are_named(
    box: Sandbox, given: Given
) -> None:
    scoped(box, without="groups:read", beside="admin")
    line = (await lines(box, given(), files("berlin")))["Slack bot token"]

    assert line == (
        "FAIL  it lacks the scopes groups:read; it has scopes that the bot never uses: admin. To do: paste the manifest"
        " (`python -m bot manifest`) into the app's page and reinstall the app; remove them on the app's page; they end"
        " with this token, so uninstall and install the app, set the new SLACK_BOT_TOKEN, and invite the bot to its"
        " channels again."
    )


async def test_in_azure_missing_rights_and_rights_that_nobody_needs_are_named(box: Sandbox, given: Given) -> None:
    grant(box, "writer", "subscription", but="Microsoft.ContainerRegistry/registries/tokens/read", also=(ASSIGNING,))
    answers = await lines(box, given(), files("berlin"))

    assert answers["Azure rights at registry contosoacr"] == (
        "FAIL  for reading the bot lacks Microsoft.ContainerRegistry/registries/tokens/read; the bot has more than it"
        f" needs: {ASSIGNING}. To do: assign the role of deploy/azure/reader.json, or writer.json to a bot that"
        " deploys; assign the roles of deploy/azure, then remove the wider one."
    )
    assert answers["Azure rights at cluster berlin-arc"] == (
        f"WARN  the bot has more than it needs: {ASSIGNING}. To do: assign the roles of deploy/azure, then remove the"
        " wider one."
    )


async def test_rights_are_asked_of_the_identity_that_works_there(box: Sandbox, given: Given) -> None:
    environment = box.environment()
    named = files("berlin").sites["berlin"].model_copy(update={"identity": "plants"})
    wrong = Secret("another-secret")
    plants = Identity("secret", environment["AZURE_TENANT_ID"], environment["AZURE_CLIENT_ID"], wrong)
    answers = await doctor.ask(given(), Files({"berlin": named}, FILES.policy), environment, {"plants": plants})

    lines = [str(answer) for answer in answers if answer.subject.startswith("Azure")]
    assert [line.partition(":")[0] for line in lines] == [
        "FAIL  Azure subscription 22222222-2222-4222-8222-222222222222 for the identity plants",
        "WARN  Azure rights at registry contosoacr for the identity plants",
        "WARN  Azure rights at cluster berlin-arc for the identity plants",
    ]
    assert "Microsoft Entra rejects the bot's client secret." in lines[0]


async def test_a_reading_bot_is_told_what_it_could_not_ask(box: Sandbox, given: Given) -> None:
    grant(box, "reader", "subscription")
    line = (await lines(box, given(), files("berlin")))["Azure rights at registry contosoacr"]

    assert line == (
        "WARN  the bot may read it; its other rights can't be asked without Microsoft.Authorization/permissions/read."
        " To do: assign the role of deploy/azure/writer.json, unless this bot only reads."
    )


async def test_a_cluster_in_which_the_bot_may_only_read_says_so(box: Sandbox, given: Given) -> None:
    line = (await lines(box, given(), files("berlin", context="berlin-reader")))["cluster of site berlin"]

    assert line == (
        "WARN  for deployments the bot lacks: create services in default, delete services in default. To do: apply"
        " deploy/rbac/deploying.yaml with the namespace default, unless this bot only reads."
    )


async def test_a_kubeconfig_that_leads_to_another_cluster_is_a_failure(box: Sandbox, given: Given) -> None:
    line = (await lines(box, given(), files("berlin", context="hamburg")))["cluster of site berlin"]

    assert line.startswith("FAIL")
    assert "hamburg-arc" in line


@pytest.mark.parametrize(("seconds", "level"), [(120, "WARN"), (-3600, "FAIL")])
async def test_a_clock_that_differs_from_azures_is_named_with_its_direction(
    box: Sandbox, given: Given, seconds: int, level: str
) -> None:
    box.clock.turn(seconds)
    line = (await lines(box, given(), files("berlin")))["clock"]
    box.clock.turn(-seconds)

    assert line.startswith(level)
    assert ("behind" if seconds > 0 else "ahead of") in line


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        (None, "WARN  it has no tables yet: no bot was started with these settings"),
        ("0002", "WARN  its tables are those of an older version"),
        ("9999", "FAIL  it was written by a newer version of the bot: install that version"),
    ],
)
async def test_a_database_that_is_not_of_this_version_is_named(
    box: Sandbox, given: Given, tmp_path: Path, written: str | None, sentence: str
) -> None:
    if written:
        await started(tmp_path)
        with closing(sqlite3.connect(tmp_path / "bot.db")) as connection:
            connection.execute("UPDATE bot_schema SET version_num = ?", (written,))
            connection.commit()

    assert (await lines(box, given(), files("berlin")))["database"].startswith(sentence)


@pytest.mark.parametrize(("free", "level"), [(2 * doctor.GIB, "ok"), (doctor.GIB // 2, "WARN"), (4096, "FAIL")])
async def test_a_disk_that_fills_up_is_named_before_it_is_full(free: int, level: str) -> None:
    assert doctor.judge_disk(Path("/data"), free).level == level


@pytest.mark.parametrize(("days", "is_named"), [(-1, True), (3, True), (60, False)])
async def test_a_cluster_s_token_is_named_before_it_expires(tmp_path: Path, days: int, is_named: bool) -> None:
    now = datetime(2026, 11, 30, tzinfo=UTC)
    claims = json.dumps({"exp": int((now + timedelta(days=days)).timestamp())}).encode()
    token = f"e30.{base64.urlsafe_b64encode(claims).decode().rstrip('=')}.x"
    (tmp_path / "token").write_text(token)
    users = {"file": {"tokenFile": "token"}, "inline": {"token": token}, "opaque": {"token": "opaque"}}
    contexts = [{"name": name, "context": {"cluster": "c", "user": name}} for name in users]
    named = [{"name": name, "user": user} for name, user in users.items()]
    file = tmp_path / "kubeconfig"
    file.write_text(yaml.safe_dump({"clusters": [], "contexts": contexts, "users": named}))

    verdicts = [doctor.judge_token(token_expiry(str(file), name), now) for name in users]
    assert [verdict is not None for verdict in verdicts] == [is_named, is_named, False]


@pytest.mark.parametrize(
    ("status", "line"),
    [
        (200, "ok    it takes spans."),
        (
            401,
            "WARN  it refuses spans (HTTP 401). To do: compare REGISTRY_BOT_TRACES_HEADERS with what the collector asks for.",
        ),
        (
            404,
            "WARN  it takes no spans at this address (HTTP 404). To do: REGISTRY_BOT_TRACES_URL has to be the address for OTLP over HTTP, which usually ends with /v1/traces.",
        ),
    ],
)
async def test_a_collector_that_takes_no_spans_is_named(status: int, line: str) -> None:
    async with collecting() as spans:
        spans.status = status
        verdict = await doctor.judge_collector(Collector(spans.url, Secret("x-key=a%20b")))

    assert str(doctor.Answer("traces", verdict)).replace("traces: ", "") == line
    assert [headers["x-key"] for headers in spans.headers] == ["a b"]


@pytest.fixture
def environment(box: Sandbox, tmp_path: Path) -> dict[str, str]:
    """Of a process that is to find the sandbox."""
    return box.environment() | {
        "REGISTRY_BOT_DATA_DIR": str(tmp_path),
        "REGISTRY_BOT_IDENTITY": "secret",
        "REGISTRY_BOT_SITES": str(CONFIG / "sites.yaml"),
        "REGISTRY_BOT_ACCESS": str(CONFIG / "access.yaml"),
    }


async def run(environment: Mapping[str, str]) -> tuple[int, list[str], str]:
    """The program's exit code, the lines of its output, and its standard error."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "bot", "doctor"),
        cwd=ROOT,
        env=for_command(environment, {}),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    return process.returncode or 0, out.decode().splitlines(), err.decode()


async def test_the_program_ends_with_0_when_nothing_fails_and_prints_no_secret(environment: dict[str, str]) -> None:
    code, output, err = await run(environment)
    secrets = [value for name, value in environment.items() if name.endswith(("_TOKEN", "_SECRET"))]

    assert (code, err) == (0, ""), output
    assert output[:2] == [
        "ok    settings: valid.",
        "ok    site file and access file: 4 sites, 4 grants, 2 approval rules.",
    ]
    assert "WARN  cluster of site oslo: not asked: the site file says `access: none`." in output
    assert [secret for secret in secrets if secret in "".join(output)] == []


async def test_the_program_ends_with_1_when_something_fails_and_libraries_add_nothing(
    environment: dict[str, str],
) -> None:
    code, output, err = await run(environment | {"AZURE_CLIENT_SECRET": "an-old-secret"})

    assert (code, err) == (1, ""), output
    assert [line.split(":")[0] for line in output if line.startswith("FAIL")] == [
        "FAIL  Azure subscription 22222222-2222-4222-8222-222222222222"
    ]
    assert "an-old-secret" not in "".join(output)


async def test_settings_that_cannot_be_used_fail_and_what_needs_them_is_not_asked(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (environment | {"SLACK_BOT_TOKEN": "nonsense"}).items():
        monkeypatch.setenv(name, value)
    answers = await doctor.examine(environment)

    assert [(answer.level, answer.subject) for answer in answers] == [
        ("FAIL", "settings"),
        ("ok", "site file and access file"),
        ("WARN", "Slack, Azure, database and clusters"),
    ]
