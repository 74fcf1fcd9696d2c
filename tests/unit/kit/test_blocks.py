from datetime import UTC, datetime, timedelta

import pytest

from handlers.kit import blocks, text


def test_a_button_carries_command_text_and_ids_are_unique_within_the_message() -> None:
    first = blocks.actions(blocks.button("Approve", runs="operation approve op-1", style="primary"), None)
    second = blocks.actions(blocks.button("Cancel", runs="operation cancel op-1"), block_id="more")

    ids = [element["action_id"] for row in (first, second) for element in row["elements"]]
    assert first["elements"][0]["value"] == "operation approve op-1"
    assert ids == ["run:0", "run:more:0"]


def test_a_command_too_long_for_a_button_is_a_programming_error() -> None:
    with pytest.raises(ValueError, match="2000"):
        blocks.actions(blocks.button("Long", runs="x" * 2001))


def test_texts_are_cut_to_slack_s_limits_with_an_ellipsis() -> None:
    assert len(blocks.header("x" * 200)["text"]["text"]) == 150
    assert blocks.section("x" * 4000)["text"]["text"].endswith("…")
    assert len(blocks.fields([("a", "b")] * 12)["fields"]) == 10


def test_a_table_stays_within_rows_and_characters() -> None:
    assert len(blocks.table(["name"], [["x"]] * 300)["rows"]) == 100
    assert len(blocks.table(["name"], [["x" * 1000]] * 50)["rows"]) == 10


def test_foreign_text_can_neither_mention_nor_link() -> None:
    assert text.escape("<!channel> & <http://x>") == "&lt;!channel&gt; &amp; &lt;http://x&gt;"
    assert "`" not in text.code("a`b")[1:-1]


def test_moments_and_spans_are_for_people() -> None:
    assert text.date(datetime(2026, 1, 2, 3, 4, tzinfo=UTC)).endswith("|2026-01-02 03:04 UTC>")
    assert text.duration(timedelta(seconds=7384)) == "2 h 3 min"
    assert text.duration(timedelta(hours=1)) == "1 h"
    assert text.duration(timedelta(0)) == "0 s"
    assert text.listed(["a", "b", "c"], "or") == "a, b or c"
