from handlers.kit.nearest import nearest, ranked


def test_a_transposed_letter_is_recognised() -> None:
    assert nearest("deplyo", ["deploy", "delete", "show"])[0] == "deploy"


def test_what_is_not_alike_is_not_suggested() -> None:
    assert nearest("xyzzy", ["deploy", "show"]) == ()


def test_suggestions_begin_with_what_begins_so() -> None:
    assert ranked("ed", ["red01", "edge02", "edge01", "berlin"]) == ("edge01", "edge02", "red01")


def test_nothing_typed_offers_everything_in_order() -> None:
    assert ranked("", ["b", "a"]) == ("a", "b")


def test_no_more_than_slack_takes_is_offered() -> None:
    assert len(ranked("", [f"edge{number:03}" for number in range(250)])) == 100
