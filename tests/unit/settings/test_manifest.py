from pathlib import Path

import pytest
import yaml

import bot
from bot import manifest
from bot.__main__ import main
from handlers import COMMANDS

ROOT = Path(bot.__file__).parent.parent


def test_the_file_is_what_the_code_registers() -> None:
    assert (ROOT / "manifest.yml").read_text() == manifest.text(manifest.manifest(COMMANDS))


def test_http_mode_names_where_slack_delivers_everything() -> None:
    made = manifest.manifest(COMMANDS, mode="http", url="https://bot.contoso.example/")

    url = "https://bot.contoso.example/slack/events"
    assert made["features"]["slash_commands"][0]["url"] == url
    assert made["settings"]["interactivity"]["message_menu_options_url"] == url
    assert not made["settings"]["socket_mode_enabled"]


def test_it_stays_within_slack_s_limits() -> None:
    made = manifest.manifest(COMMANDS)

    slash, shown = made["features"]["slash_commands"][0], made["display_information"]
    assert len(shown["name"]) <= 35
    assert len(shown["description"]) <= 140
    assert len(slash["command"]) <= 32
    assert len(slash["usage_hint"]) <= 1000


def test_the_command_can_be_renamed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["manifest", "--command", "/edge"]) == 0

    assert yaml.safe_load(capsys.readouterr().out)["features"]["slash_commands"][0]["command"] == "/edge"


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        (["--mode", "http"], "--mode http needs --url"),
        (["--mode", "http", "--url", "http://bot.contoso.example"], "must begin with https://"),
        (["--mode", "http", "--url", "bot.contoso.example"], "must begin with https://"),
        (["--command", "edge"], "must be a slash"),
        (["--command", "/Edge"], "lowercase letters"),
    ],
)
def test_what_slack_would_not_take_is_refused_with_the_rule(
    words: list[str], rule: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["manifest", *words])

    assert ended.value.code == 2
    assert rule in capsys.readouterr().err
