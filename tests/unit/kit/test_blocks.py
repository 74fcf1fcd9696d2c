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


def test_labelled_values_beyond_a_sections_ten_stand_in_the_next_one() -> None:
    sections = list(blocks.fields([("a", "b")] * 12))

    assert [len(section["fields"]) for section in sections] == [10, 2]


def test_a_table_stays_within_rows_and_characters_and_says_how_many_rows_are_missing() -> None:
    many = blocks.table(["name", "state"], [["x", "y"]] * 300)["rows"]
    long = blocks.table(["name", "state"], [["x" * 1000, "y"]] * 50)["rows"]

    assert (len(many), many[-1][0]["text"]) == (100, "and 202 more")
    assert (len(long), long[-1][0]["text"]) == (11, "and 41 more")


def test_pages_of_rows_fit_into_a_table_each_and_leave_none_out() -> None:
    rows = [[f"name{number}", "x" * 200] for number in range(130)]
    pages = blocks.pages_of_rows(["name", "text"], rows)

    assert [row for page in pages for row in page] == rows
    assert [len(blocks.table(["name", "text"], page)["rows"]) - 1 for page in pages] == [48, 48, 34]
    assert [len(page) for page in blocks.pages_of_rows(["name"], [["a"]] * 60, 25)] == [25, 25, 10]


def test_foreign_text_can_neither_mention_nor_link() -> None:
    assert text.escape("<!channel> & <http://x>") == "&lt;!channel&gt; &amp; &lt;http://x&gt;"
    assert "`" not in text.code("a`b")[1:-1]


def test_moments_and_spans_are_for_people() -> None:
    assert text.date(datetime(2026, 1, 2, 3, 4, tzinfo=UTC)).endswith("|2026-01-02 03:04 UTC>")
    assert text.duration(timedelta(seconds=7384)) == "2 h 3 min"
    assert text.duration(timedelta(hours=1)) == "1 h"
    assert text.duration(timedelta(0)) == "0 s"
    assert text.listed(["a", "b", "c"], "or") == "a, b or c"
