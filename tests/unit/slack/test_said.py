"""What a message to the bot says."""

import pytest

from bot.slack.payloads import Said, said

MENTION = {"type": "app_mention", "user": "U1", "team": "T1", "channel": "C1", "ts": "1.0", "text": "<@UBOT> list"}


def test_a_mention_says_what_stands_beside_it() -> None:
    assert said(MENTION | {"thread_ts": "0.5"}, "UBOT") == Said("U1", "T1", "C1", "1.0", "0.5", "list")


@pytest.mark.parametrize(
    ("text", "typed"),
    [
        ("<@UBOT|registry> check berlin", "check berlin"),
        ("list, please <@UBOT>", "list, please"),
        ("<@UBOT>", ""),
        ("show &lt;edge01&gt; &amp; co", "show <edge01> & co"),
        ("<http://edge01.example|edge01.example>", "edge01.example"),
        ("<https://example.com/a>", "https://example.com/a"),
    ],
)
def test_slacks_marks_are_taken_off(text: str, typed: str) -> None:
    message = said(MENTION | {"text": text}, "UBOT")

    assert message is not None
    assert message.text == typed


@pytest.mark.parametrize(
    "change",
    [
        {"bot_id": "B1"},
        {"subtype": "message_changed"},
        {"user": "UBOT"},
        {"user": None},
        {"type": "message", "channel_type": "channel"},
        {"type": "reaction_added"},
    ],
)
def test_what_nobody_wrote_to_the_bot_says_nothing(change: dict[str, object]) -> None:
    assert said(MENTION | change, "UBOT") is None
