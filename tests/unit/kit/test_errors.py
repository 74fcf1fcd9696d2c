import inspect
from dataclasses import fields
from typing import Any, get_args

import pytest

from handlers.views.errors import DENIALS, RULES, explanation, plain
from services.model import errors

VALUES: dict[str, Any] = {"retry_after": 12, "ranges": ("10.0.0.0/16",), "near": (), "facts": {}, "service": "azure"}
CLASSES = [
    each
    for _, each in inspect.getmembers(errors, inspect.isclass)
    if issubclass(each, errors.DomainError) and each is not errors.DomainError
]


def made(kind: type[errors.DomainError]) -> errors.DomainError:
    return kind(**{each.name: VALUES.get(each.name, f"<{each.name}>") for each in fields(kind)})


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_every_error_has_its_words_and_can_neither_mention_nor_format(kind: type[errors.DomainError]) -> None:
    said = explanation(made(kind))

    assert "no words for" not in said
    assert "<" not in said.replace("&lt;", "")


@pytest.mark.parametrize(
    "kind", [each for each in CLASSES if issubclass(each, errors.Foreign)], ids=lambda kind: kind.__name__
)
def test_outside_trouble_carries_what_its_support_asks_for(kind: type[errors.DomainError]) -> None:
    assert "correlation_id" in explanation(made(kind))


def test_the_bot_s_own_missing_right_never_reads_like_the_person_s_fault() -> None:
    assert "not the problem" in explanation(
        errors.NotAllowed("azure", "contosoacr", action="Microsoft.ContainerRegistry/write")
    )


def test_could_not_ask_is_not_told_as_no() -> None:
    assert "is unknown" in explanation(errors.Unreachable("kubernetes", "berlin"))


def test_a_usage_is_told_under_the_installed_name() -> None:
    error = errors.Invalid("words", "x", "extra", {"usage": "check SITE"})

    assert "`/edge check SITE`" in explanation(error, slash="/edge")


def test_an_unknown_option_names_where_the_known_ones_are() -> None:
    error = errors.NotFound("option", "--colour", command="alert list")

    assert explanation(error, slash="/edge").endswith("`/edge help alert list` lists the options of `alert list`.")


def test_an_answer_repeats_only_the_beginning_of_what_is_long() -> None:
    assert len(explanation(errors.NotFound("site", "x" * 4000))) < 200


def test_what_can_t_be_done_yet_is_not_told_as_done_with() -> None:
    said = explanation(errors.Stale("op-1", "waiting", "failed"))

    assert said == "`op-1` is waiting for approval. This is only possible for an operation that has failed."


def test_beside_a_form_s_field_there_is_no_formatting() -> None:
    said = plain(errors.NotFound("site", "a & b", ("berlin",)))

    assert said == "There is no site a & b. Did you mean berlin?"


def test_every_rule_has_its_sentence() -> None:
    assert set(RULES) == set(get_args(errors.InvalidRule))
    assert set(DENIALS) == set(get_args(errors.DenialRule))
