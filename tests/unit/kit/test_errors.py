import inspect
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

import pytest

from handlers.kit import Request
from handlers.views.errors import corrected, explanation, plain
from services.model import errors
from services.model.people import Person, Place

VALUES: dict[str, Any] = {"retry_after": 12, "ranges": ("10.0.0.0/16",), "near": (), "facts": {}, "service": "azure"}
CLASSES = [
    each
    for _, each in inspect.getmembers(errors, inspect.isclass)
    if issubclass(each, errors.DomainError) and each is not errors.DomainError
]


def made(kind: type[errors.DomainError]) -> errors.DomainError:
    return kind(**{each.name: VALUES.get(each.name, f"<{each.name}>") for each in fields(kind)})


def request(text: str) -> Request:
    return Request(
        Person("U0ALICE", "alice", "T0"), Place("T0", "C0"), text, "k", "t", said_by_click=False, now=datetime.now(UTC)
    )


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
    assert "not about you" in explanation(
        errors.NotAllowed("azure", "contosoacr", action="Microsoft.ContainerRegistry/write")
    )


def test_could_not_ask_is_not_told_as_no() -> None:
    assert "says nothing about" in explanation(errors.Unreachable("kubernetes", "berlin"))


@pytest.mark.parametrize(
    ("error", "text", "line"),
    [
        (
            errors.NotFound("command", "deplyo", ("deploy",)),
            "deplyo edge01 --site berlin",
            "deploy edge01 --site berlin",
        ),
        (
            errors.NotFound("command", "operation shwo", ("operation show",)),
            "operation shwo op-1",
            "operation show op-1",
        ),
        (
            errors.NotFound("command", "opertion list", ("operation list",)),
            "opertion list --site berlin",
            "operation list --site berlin",
        ),
        (errors.NotFound("command", "depoly", ("deploy",)), "help depoly", "help deploy"),
        (errors.NotFound("option", "--sit", ("--site",)), "deploy a --sit=berlin", "deploy a --site=berlin"),
        (errors.NotFound("site", "berlni", ("berlin",)), "deploy a --site berlni", "deploy a --site berlin"),
        (errors.NotFound("site", "berlni", ("berlin",)), "deploy a --site=berlni", "deploy a --site=berlin"),
        (
            errors.Invalid("mode", "readonly", "choice", {"near": ("ReadOnly",)}),
            "deploy a --mode readonly",
            "deploy a --mode ReadOnly",
        ),
        (errors.NotFound("site", "x"), "deploy a --site x", ""),
    ],
)
def test_the_line_that_was_meant_is_ready_to_copy(error: errors.DomainError, text: str, line: str) -> None:
    assert corrected(error, request(text)) == line


def test_a_usage_is_told_under_the_installed_name() -> None:
    error = errors.Invalid("words", "x", "extra", {"usage": "check SITE"})

    assert "`/edge check SITE`" in explanation(error, slash="/edge")


def test_an_answer_repeats_only_the_beginning_of_what_is_long() -> None:
    assert len(explanation(errors.NotFound("site", "x" * 4000))) < 200


def test_what_can_t_be_done_yet_is_not_told_as_done_with() -> None:
    said = explanation(errors.Stale("op-1", "waiting", "failed"))

    assert said == "`op-1` waits for approval; this can be done only to one that has failed."


def test_beside_a_form_s_field_there_is_no_formatting() -> None:
    said = plain(errors.NotFound("site", "a & b", ("berlin",)))

    assert said == "There is no site a & b. Did you mean berlin?"
