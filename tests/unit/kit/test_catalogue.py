from typing import Any

import pytest

from services.model.errors import DomainError, Invalid, NotFound
from tests.unit.kit.declared import CATALOGUE, SITES, deploy


def parse(line: str) -> dict[str, Any]:
    command, rest = CATALOGUE.find(line.split())
    return dict(CATALOGUE.parse(command, rest, SITES).arguments)


def refused(line: str) -> DomainError:
    with pytest.raises(DomainError) as told:
        parse(line)
    return told.value


def test_arguments_are_typed_and_a_site_is_named() -> None:
    given = parse("deploy edge01 --site BERLIN --repository a --repository b --limit 3 --dry-run")

    assert given == {"name": "edge01", "site": SITES["berlin"], "repository": ("a", "b"), "limit": 3, "dry_run": True}


def test_a_name_can_be_given_as_an_option_too() -> None:
    assert parse("show --name edge01")["name"] == "edge01"


def test_what_is_missing_is_told_with_what_was_given() -> None:
    command, rest = CATALOGUE.find(["deploy", "edge01", "--dry-run"])
    parsed = CATALOGUE.parse(command, rest, SITES)

    assert [each.name for each in parsed.missing] == ["site"]
    assert parsed.arguments == {"name": "edge01", "dry_run": True}


@pytest.mark.parametrize(
    ("line", "near"),
    [
        ("deplyo edge01", ("deploy",)),
        ("shwo edge01", ("show",)),
        ("operation shwo op-1", ("operation show",)),
        ("opertion show op-1", ("operation show",)),
        ("show operation op-1", ()),
        ("lits op-1", ("operation list",)),
    ],
)
def test_a_mistyped_command_gets_its_nearest(line: str, near: tuple[str, ...]) -> None:
    if near:
        error = refused(line)
        assert isinstance(error, NotFound)
        assert error.near[:1] == near
    else:
        assert isinstance(refused(line), Invalid)


def test_a_noun_alone_gets_all_its_verbs() -> None:
    error = refused("operation")

    assert isinstance(error, NotFound)
    assert set(error.near) == {"operation show", "operation list"}


@pytest.mark.parametrize(
    ("line", "kind", "name", "near"),
    [
        ("deploy edge01 --sit berlin", "option", "--sit", "--site"),
        ("deploy edge01 --sit=berlin", "option", "--sit", "--site"),
        ("deploy edge01 -site berlin", "option", "-site", "--site"),
        ("deploy edge01 --dryrun", "option", "--dryrun", "--dry-run"),
        ("deploy edge01 --site berlni", "site", "berlni", "berlin"),
    ],
)
def test_a_mistyped_option_or_site_gets_its_nearest(line: str, kind: str, name: str, near: str) -> None:
    error = refused(line)

    assert isinstance(error, NotFound)
    assert (error.kind, error.name, error.near[0]) == (kind, name, near)


@pytest.mark.parametrize(
    ("line", "field", "rule"),
    [
        ("deploy a b --site berlin", "words", "extra"),
        ("deploy a --site", "site", "no_value"),
        ("deploy a --site berlin --site hamburg", "site", "repeated"),
        ("deploy a --site berlin --limit many", "limit", "type"),
        ("deploy a --site berlin --limit 99999999999999999999", "limit", "type"),
        ("deploy a --site berlin --mode Readonyl", "mode", "choice"),
    ],
)
def test_a_value_that_does_not_fit_is_told(line: str, field: str, rule: str) -> None:
    error = refused(line)

    assert isinstance(error, Invalid)
    assert (error.field_name, error.rule) == (field, rule)


@pytest.mark.parametrize(
    ("said", "repository"),
    [
        (("deploy", "a", "--repository", "- the first"), "- the first"),
        (("deploy", "a", "--repository", "-5"), "-5"),
        (("deploy", "a", "--repository=-b"), "-b"),
    ],
)
def test_a_value_may_begin_with_a_dash(said: tuple[str, ...], repository: str) -> None:
    command, rest = CATALOGUE.find(said)

    assert CATALOGUE.parse(command, rest, SITES).arguments["repository"] == (repository,)


def test_an_option_after_an_option_is_no_value() -> None:
    error = refused("deploy a --site --dry-run")

    assert isinstance(error, Invalid)
    assert (error.field_name, error.rule) == ("site", "no_value")


def test_a_name_like_no_site_s_gets_those_that_there_are() -> None:
    error = refused("deploy a --site x")

    assert isinstance(error, NotFound)
    assert (error.near, error.known) == ((), ("berlin", "hamburg"))


def test_a_choice_gets_the_nearest_one() -> None:
    error = refused("deploy a --mode Readonyl")

    assert isinstance(error, Invalid)
    assert error.facts["near"] == ("ReadOnly",)


def test_usage_comes_from_the_declaration() -> None:
    assert deploy.usage == (
        "deploy NAME --site SITE [--repository REPOSITORY]… [--mode ReadOnly|ReadWrite] [--limit LIMIT] [--dry-run]"
    )
    assert deploy.summary == "Deploy a connected registry."
    assert deploy.parameters[1].help == "Where it goes."
