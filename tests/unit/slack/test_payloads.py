"""Payloads of which parts are missing or are something else: refused, or taken apart without a fault."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bot.slack.client import Installation
from bot.slack.payloads import Said, foreign, home_channel, kind, malformed, said, team_of
from tests.fuzzing import damaged, fuzzed

OURS = Installation("T1", "Contoso", "", "B1", "UBOT", "A1", "https://contoso.slack.com/", frozenset())
VIEW = {
    "id": "V1",
    "hash": "1",
    "type": "modal",
    "private_metadata": '{"runs": "deploy", "channel": "C1"}',
    "app_installed_team_id": "T1",
    "state": {"values": {"name": {"value": {"type": "plain_text_input", "value": "edge01"}}}},
}
COMMAND = {
    "api_app_id": "A1",
    "team_id": "T1",
    "channel_id": "C1",
    "user_id": "U1",
    "command": "/registry",
    "text": "list",
    "trigger_id": "1.2",
}
CLICK = {
    "type": "block_actions",
    "api_app_id": "A1",
    "user": {"id": "U1", "team_id": "T1"},
    "team": {"id": "T1"},
    "trigger_id": "1.2",
    "container": {"channel_id": "C1", "message_ts": "1", "thread_ts": "1"},
    "view": VIEW | {"type": "home", "private_metadata": "D1"},
    "actions": [{"type": "button", "action_id": "run:1", "value": "list"}],
}
FORM = {"type": "view_submission", "user": {"id": "U1"}, "team": {"id": "T1"}, "view": VIEW}
OPTIONS = FORM | {"type": "block_suggestion", "block_id": "name", "value": "ed"}
EVENT = {
    "type": "event_callback",
    "team_id": "T1",
    "event": {
        "type": "app_mention",
        "user": "U1",
        "channel": "C1",
        "ts": "1",
        "text": "<@UBOT> list &lt;",
        "team": "T1",
    },
}


@fuzzed
@given(st.sampled_from([COMMAND, CLICK, FORM, OPTIONS, EVENT]).flatmap(damaged))
def test_a_damaged_payload_is_refused_or_read(body: Any) -> None:
    refused = malformed(body) or foreign(body, OURS)

    assert refused or isinstance(home_channel(body) + team_of(body) + kind(body), str)
    assert refused or isinstance(said(body.get("event") or {}, "UBOT"), Said | None)
