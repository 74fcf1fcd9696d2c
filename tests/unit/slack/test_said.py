"""What a message to the bot says."""

import pytest

from bot.slack.payloads import Said, changed_channel, said

MENTION = {"type": "app_mention", "user": "U1", "team": "T1", "channel": "C1", "ts": "1.0", "text": "<@UBOT> list"}


def test_a_mention_says_what_stands_beside_it() -> None:
    assert said(MENTION | {"thread_ts": "0.5"}, "UBOT") == Said("U1", "T1", "C1", "1.0", "0.5", "list")


@pytest.mark.parametrize(
    ("text", "typed"),
    [
        ("<@UBOT|registry> check berlin", "check berlin"),
        ("list, please <@UBOT>", "list, please"),
        ("<@UBOT>: list", "list"),
        ("<@UBOT>", ""),
        ("show &lt;edge01&gt; &amp; co", "show &lt;edge01&gt; &amp; co"),
        ("<http://edge01.example|edge01.example>", "<http://edge01.example|edge01.example>"),
    ],
)
def test_the_bot_s_own_name_is_taken_off_and_nothing_else(text: str, typed: str) -> None:
    message = said(MENTION | {"text": text}, "UBOT")

    assert message is not None
    assert message.text == typed


@pytest.mark.parametrize(
    "change",
    [
        {"bot_id": "B1"},
        {"subtype": "message_changed"},
        {"user": "UBOT"},
        {"user": "USLACKBOT", "type": "message", "channel_type": "im"},
        {"user": None},
        {"type": "message", "channel_type": "channel"},
        {"type": "reaction_added"},
    ],
)
def test_what_nobody_wrote_to_the_bot_says_nothing(change: dict[str, object]) -> None:
    assert said(MENTION | change, "UBOT") is None


@pytest.mark.parametrize("subtype", ["file_share", "thread_broadcast", "me_message"])
def test_a_message_is_written_to_the_bot_with_a_file_or_to_the_channel_too(subtype: str) -> None:
    assert said(MENTION | {"subtype": subtype}, "UBOT") == Said("U1", "T1", "C1", "1.0", "", "list")


@pytest.mark.parametrize(
    ("event", "channel"),
    [
        ({"type": "member_joined_channel", "user": "UBOT", "channel": "C1"}, "C1"),
        ({"type": "member_joined_channel", "user": "U1", "channel": "C1"}, ""),
        ({"type": "channel_left", "channel": "C1"}, "C1"),
        ({"type": "group_unarchive", "channel": "C1"}, "C1"),
        ({"type": "channel_shared", "channel": {"id": "C1"}}, ""),
        (MENTION, ""),
    ],
)
def test_an_event_says_where_the_bot_may_post_again_or_no_longer(event: dict[str, object], channel: str) -> None:
    assert changed_channel(event, "UBOT") == channel
