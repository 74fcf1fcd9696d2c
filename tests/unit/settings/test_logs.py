import pytest

from bot.logs import with_trace, without_secrets
from services.model.redaction import scrub
from services.traces import Span, Traces, operation_ids


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


def test_a_line_about_an_operation_has_the_id_of_its_trace() -> None:
    line = with_trace(None, "info", {"event": "step_done", "operation": "op-7k3q9xa"})

    assert line["trace_id"] == operation_ids("op-7k3q9xa").trace


def test_a_line_within_a_command_has_the_id_of_the_command_s_trace() -> None:
    spans: list[Span] = []
    with Traces(spans.append).command():
        line = with_trace(None, "info", {"event": "arm.request"})

    assert [line["trace_id"]] == [span.ids.trace for span in spans]


def test_a_line_outside_of_all_traces_has_no_id() -> None:
    assert with_trace(None, "info", {"event": "ready"}) == {"event": "ready"}
