"""What Slack's error codes are to the bot."""

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.slack.client import translated
from services.model.errors import Absent, Foreign, NotAllowed, NotAuthenticated, Refused, Throttled, Unreachable


def answer(code: str, status: int = 200, headers: dict[str, str] | None = None) -> SlackApiError:
    data = {"ok": False, "error": code}
    response = AsyncSlackResponse(
        client=AsyncWebClient(),
        http_verb="POST",
        api_url="",
        req_args={},
        data=data,
        headers=headers or {},
        status_code=status,
    )
    return SlackApiError("refused", response)  # type: ignore[no-untyped-call]  # slack-sdk has no type there


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("rate_limited", Throttled),
        ("team_added_to_org", Unreachable),
        ("fatal_error", Unreachable),
        ("missing_scope", NotAllowed),
        ("token_revoked", NotAuthenticated),
        ("user_not_visible", Absent),
        ("channel_not_found", Absent),
        ("restricted_action_read_only_channel", Refused),
        ("a_code_of_tomorrow", Refused),
    ],
)
def test_a_code_is_an_error_of_its_kind(code: str, kind: type[Foreign]) -> None:
    with pytest.raises(kind), translated("chat.postMessage"):
        raise answer(code)


@pytest.mark.parametrize(("header", "seconds"), [("30", 30), ("soon", 5), ("", 5)])
def test_a_limit_lasts_as_long_as_slack_says(header: str, seconds: float) -> None:
    with pytest.raises(Throttled) as refusal, translated("chat.update"):
        raise answer("ratelimited", 429, {"Retry-After": header})

    assert refusal.value.retry_after == seconds
