import os
import re
from pathlib import Path

import pytest

from bot import settings
from bot.problems import Broken

GOOD = {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1"}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in os.environ:
        if name.startswith(("REGISTRY_BOT_", "SLACK_", "AZURE_")):
            monkeypatch.delenv(name)
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def problems() -> list[str]:
    with pytest.raises(Broken) as told:
        settings.load()
    return [str(problem) for problem in told.value.problems]


def test_two_tokens_are_all_that_is_needed() -> None:
    loaded = settings.load()

    assert (loaded.command, loaded.mode, loaded.slack_api_url) == ("/registry", "socket", "https://slack.com/api/")


def test_secrets_are_not_shown() -> None:
    assert "xoxb-1" not in repr(settings.load())


def test_every_problem_is_told_at_once_and_without_the_values(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("SLACK_BOT_TOKEN", "hunter2")
    environment.setenv("REGISTRY_BOT_HTTP_PORT", "none")
    environment.setenv("REGISTRY_BOT_WATCH_INTERVAL", "inf")
    environment.setenv("REGISTRY_BOT_MODES", "http")
    environment.setenv("REGISTRY_BOT_IDENTITY", "secret")
    environment.setenv("AZURE_TENANT_ID", "t")
    environment.delenv("SLACK_APP_TOKEN")

    told = problems()

    named = {problem.split(":")[0] for problem in told}
    assert named == {
        "SLACK_BOT_TOKEN",
        "REGISTRY_BOT_HTTP_PORT",
        "REGISTRY_BOT_WATCH_INTERVAL",
        "REGISTRY_BOT_MODES",
        "AZURE_CLIENT_ID",
        "AZURE_CLIENT_SECRET",
        "SLACK_APP_TOKEN",
    }
    assert "hunter2" not in "".join(told)
    assert any("did you mean `REGISTRY_BOT_MODE`?" in problem for problem in told)


def test_both_files_are_looked_at_even_when_other_settings_are_wrong(
    environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "env").write_text("REGISTRY_BOT_MODE=sockt\nREGISTRY_BOT_SITES=here.yaml\n")
    environment.setenv("REGISTRY_BOT_ENV_FILE", str(tmp_path / "env"))
    environment.setenv("REGISTRY_BOT_ACCESS", "there.yaml")

    assert problems() == ["REGISTRY_BOT_MODE: has to be 'socket' or 'http'"]
    assert settings.paths() == (Path("here.yaml"), Path("there.yaml"))


def test_http_mode_needs_the_signing_secret(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("REGISTRY_BOT_MODE", "http")
    environment.delenv("SLACK_APP_TOKEN")

    assert problems() == ["SLACK_SIGNING_SECRET: is not set, but mode http needs it"]


def test_a_file_may_hold_the_settings_and_the_environment_wins(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "bot.env"
    file.write_text("REGISTRY_BOT_COMMAND=/edge\nREGISTRY_BOT_LOG_LEVEL=debug\n")
    environment.setenv("REGISTRY_BOT_ENV_FILE", str(file))
    environment.setenv("REGISTRY_BOT_LOG_LEVEL", "error")

    loaded = settings.load()

    assert (loaded.command, loaded.log_level) == ("/edge", "error")


def test_durations_are_seconds_or_iso_8601(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("REGISTRY_BOT_COMMAND_DEADLINE", "7")
    environment.setenv("REGISTRY_BOT_SHUTDOWN_DEADLINE", "PT1M")

    loaded = settings.load()

    assert (loaded.command_deadline.total_seconds(), loaded.shutdown_deadline.total_seconds()) == (7, 60)


def test_the_page_tells_every_setting() -> None:
    page = settings.page()

    assert all(f"`{name}`" in page for name in settings.NAMES)


@pytest.mark.parametrize(
    ("given", "meant"), [("usgov", "us-government"), ("AzureChinaCloud", "china"), ("us-government", "us-government")]
)
def test_clouds_have_the_names_that_others_give_them_too(
    environment: pytest.MonkeyPatch, given: str, meant: str
) -> None:
    environment.setenv("AZURE_CLOUD", given)

    assert settings.load().azure_cloud == meant


@pytest.mark.parametrize(
    ("typed", "means"),
    [
        ("postgres://bot@db.contoso.example/registry", "postgresql://bot@db.contoso.example/registry"),
        ("postgresql+psycopg://bot:a%40b@db:5432/registry", "postgresql://bot:a%40b@db:5432/registry"),
        ("sqlite:////var/lib/registry-bot/bot.db", "sqlite:////var/lib/registry-bot/bot.db"),
    ],
)
def test_a_database_has_the_address_that_others_give_it_too(
    environment: pytest.MonkeyPatch, typed: str, means: str
) -> None:
    environment.setenv("REGISTRY_BOT_DATABASE_URL", typed)

    address = settings.load().database_url
    assert address is not None
    assert address.reveal() == means


@pytest.mark.parametrize(
    ("typed", "problem"),
    [
        ("mysql://bot@db/registry", "mysql is not supported: it has to begin with postgresql:// or sqlite:///"),
        ("registry.db", "it has to be an address such as postgresql://USER:PASSWORD@HOST/NAME"),
        ("postgresql://bot:p@ss/w0rd@db/registry", "write @ / : and % in the password as %40 %2F %3A and %25"),
        ("postgresql://bot:pa:ss@db/registry", "write @ / : and % in the password as %40 %2F %3A and %25"),
        ("postgresql://bot@db:port/registry", "the port after the host has to be a number"),
    ],
)
def test_an_address_of_a_database_that_cannot_be_read_is_told_without_it(
    environment: pytest.MonkeyPatch, typed: str, problem: str
) -> None:
    environment.setenv("REGISTRY_BOT_DATABASE_URL", typed)

    assert problems() == [f"REGISTRY_BOT_DATABASE_URL: {problem}"]


def test_the_example_names_every_setting_and_shows_the_defaults(
    environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    example = (Path(__file__).parents[3] / ".env.example").read_text(encoding="utf-8")
    lines = re.findall(r"^#?([A-Z_]+=.*)$", example, re.MULTILINE)
    file = tmp_path / "bot.env"
    file.write_text("\n".join(lines), encoding="utf-8")
    defaults = settings.load()
    environment.setenv("REGISTRY_BOT_ENV_FILE", str(file))

    assert sorted(line.partition("=")[0] for line in lines) == sorted(settings.NAMES)
    assert repr(settings.load()) == repr(defaults)
