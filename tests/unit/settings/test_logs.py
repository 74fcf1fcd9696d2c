import pytest

from bot.logs import without_secrets
from services.model.redaction import scrub


@pytest.mark.parametrize(
    "text",
    [
        "xoxb-123-456-hunter2",
        "password=hunter2",
        "ConnectedRegistryName=edge01;SyncTokenName=t;SyncTokenPassword=hunter2;ParentGatewayEndpoint=x",
        '{"client_secret": "hunter2"}',
        "Authorization: Bearer hunter2hunter2hunter2",
        "https://hooks.slack.com/commands/T0/1/hunter2",
        "https://x.example/?sig=hunter2&api-version=1",
    ],
)
def test_what_looks_like_a_secret_is_taken_out(text: str) -> None:
    assert "hunter2" not in scrub(text)


def test_ordinary_words_stay() -> None:
    line = (
        "deploy edge01 --site berlin --repository hello-world sha256:0123456789abcdef0123456789abcdef0123456789abcdef"
    )

    assert scrub(line) == line


def test_every_field_of_a_log_line_is_looked_at() -> None:
    seen = without_secrets(None, "info", {"event": "x", "facts": {"a": ["token=xoxb-1-hunter2"]}, "count": 3})

    assert "hunter2" not in str(seen)
    assert seen["count"] == 3
