"""Messages as JSON files, and the option that writes them anew."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from handlers.kit.message import Message
from sandbox.slack.blocks import check_blocks

CARDS = Path(__file__).parent / "cards"
Golden = Callable[[str, Message], None]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--write-golden", action="store_true", help="write the expected messages anew")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    """Compare a message with its file, and hold it against Slack's rules."""
    writes = request.config.getoption("--write-golden", default=False)

    def compare(name: str, message: Message) -> None:
        told = {"text": message.text, "blocks": [dict(block) for block in message.blocks]}
        text = json.dumps(told, indent=2, ensure_ascii=False) + "\n"
        file = CARDS / f"{name}.json"
        if writes:
            file.parent.mkdir(exist_ok=True)
            file.write_text(text, encoding="utf-8")
        assert check_blocks(told["blocks"], "message") == []
        assert text == file.read_text(encoding="utf-8")

    return compare
