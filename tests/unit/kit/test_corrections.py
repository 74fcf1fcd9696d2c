"""The line that is offered for one that was refused: always one that would run."""

import pytest

from handlers import COMMANDS
from handlers.kit import Catalogue
from handlers.kit.command import Command
from handlers.kit.corrections import correction
from handlers.kit.words import words
from handlers.views.facts import command_line
from handlers.views.procedures import WORDS
from services.model.errors import DomainError, Invalid, InvalidRule, NotFound
from services.operations.deploy.request import DeployOptions, deploy_request
from services.policy.sites import Site
from tests.unit.kit.declared import SITES

CATALOGUE = Catalogue(COMMANDS)
HERE = {"berlin"}
"""Sites at which the person has rights."""


def refusal(typed: tuple[str, ...]) -> tuple[DomainError, Command | None]:
    """Why a line is refused, as the door finds out: by its name, its arguments, or the command itself."""
    command = None
    try:
        command, rest = CATALOGUE.find(typed)
        values = CATALOGUE.parse(command, rest, SITES).arguments
        options = DeployOptions(
            values.get("repository", ("hello-world",)),
            schedule=values.get("schedule"),
            storage_request=values.get("storage_request"),
            extension_name=values.get("extension_name"),
        )
        deploy_request(values["site"], values["name"], options)
    except (NotFound, Invalid) as error:
        return error, command
    raise AssertionError(f"{typed} is accepted")


def offered(line: str) -> str:
    def permitted(_command: Command | None, site: Site | None) -> bool:
        return site is None or site.name in HERE

    typed = words(line)
    error, command = refusal(typed)
    return correction(typed, error, command, catalogue=CATALOGUE, sites=SITES, permitted=permitted, slash="/registry")


@pytest.mark.parametrize(
    ("typed", "line"),
    [
        ("deplyo edge01 --site berlin", "deploy edge01 --site berlin"),
        ("operation shwo op-1", "operation show op-1"),
        ("opertion list --site berlin", "operation list --site berlin"),
        ("deploy edge01 --sit=berlin", "deploy edge01 --site=berlin"),
        ("deploy edge01 --site berlni", "deploy edge01 --site berlin"),
        ("deploy edge01 --site=berlni", "deploy edge01 --site=berlin"),
        ("deploy edge01 --site berlin --mode Readonyl", "deploy edge01 --site berlin --mode ReadOnly"),
        ("deploy edge01 --site berlin --ip 10.96.0.9", "deploy edge01 --site berlin --service-ip 10.96.0.9"),
        ("deploy Edge01 --site berlin", "deploy edge01 --site berlin"),
        ("deploy edge-01 --site berlin", "deploy edge01 --site berlin"),
        (
            "deploy edge01 --site berlin --repository hello-world:latest",
            "deploy edge01 --site berlin --repository hello-world",
        ),
        (
            "deploy edge01 --site berlin --repository Hello-World,nginx",
            "deploy edge01 --site berlin --repository hello-world --repository nginx",
        ),
        ('"/registry check berlin"', "check berlin"),
        ("deploy edge01 to berlin", "deploy edge01 --site berlin"),
        ("deploy edge01 berlin", "deploy edge01 --site berlin"),
        ("deploy berlin edge01", "deploy edge01 --site berlin"),
        ("deploy edge01 site=berlin", "deploy edge01 --site=berlin"),
        ("deploy edge01 --site berlin --dry run", "deploy edge01 --site berlin --dry-run"),
        ("deploy edge01 --sit berlni --dryrun", "deploy edge01 --site berlin --dry-run"),
        (
            "deploy edge01 --repository b c d --site berlin",
            "deploy edge01 --repository b --repository c --repository d --site berlin",
        ),
        (
            "deploy edge01 --site berlin --schedule 0 3 * * *",
            'deploy edge01 --site berlin --schedule "0 3 * * *"',
        ),
        ("deploy édge-01 --site berlin", "deploy edge01 --site berlin"),
        (
            "deploy edge01 --site berlin --repository contosoacr.azurecr.io/team/app:1.0,10.96.0.2/nginx",
            "deploy edge01 --site berlin --repository team/app --repository nginx",
        ),
        ("deploy edge01 --site berlin --storage-request 250GB", "deploy edge01 --site berlin --storage-request 250Gi"),
        (
            "deploy edge01 --site berlin --extension-name Edge_01",
            "deploy edge01 --site berlin --extension-name edge-01",
        ),
        (
            'deploy edge01 --site berlin --schedule "0 0 2 ? * MON"',
            'deploy edge01 --site berlin --schedule "0 2 * * MON"',
        ),
        ("deploy edge01 --site berlin --schedule @daily", 'deploy edge01 --site berlin --schedule "0 0 * * *"'),
        ("berlin check", "check berlin"),
        ("edge01 deploy --site berlin", "deploy edge01 --site berlin"),
        ("edge01 show", "show edge01"),
        ("berlin list", "list --site berlin"),
        ("extension edge01", "extension show edge01"),
        ("operation op-3uajm69", "operation show op-3uajm69"),
        ("op-3uajm69", "operation show op-3uajm69"),
        ("check berlin --dry-run", "check berlin"),
        ("deploy -n edge01 -s berlin", "deploy --name edge01 --site berlin"),
        ("az acr connected-registry list -r contosoacr -g edge-rg", "list"),
        ("connected-registry show -n edge01 --registry contosoacr", "show --name edge01"),
        ("k8s-extension show edge01", "extension show edge01"),
        ("az provider show berlin", "provider show berlin"),
        ("edge01 berlin", "show edge01 --site berlin"),
        ("berlin", "check berlin"),
        ("status", "list"),
        ("op list", "operation list"),
        ("alerts", "alert list"),
        ("logs edge01 --site berlin", "show edge01 --site berlin"),
        ("logs", "list"),
        ("destroy edge01", "remove edge01"),
        ("list; /registry whoami", "list"),
        ("deploy edge01 --site berlin --wait", "deploy edge01 --site berlin --wait-for-images"),
    ],
)
def test_the_line_that_was_meant_is_offered(typed: str, line: str) -> None:
    assert offered(typed) == line


@pytest.mark.parametrize(
    ("rule", "wrong", "right"),
    [
        ("site_file.rule", "nginx:1.25", "docker.io/library/nginx:1.25"),
        ("site_file.rule", "docker.io/nginx:1.25", "docker.io/library/nginx:1.25"),
        ("site_file.rule", "https://mcr.microsoft.com/Hello-World", "mcr.microsoft.com/hello-world:latest"),
        ("site_file.rule", "localhost:5000/app:1", ""),
        ("image.pattern", "Hello-World:V1", "hello-world:V1"),
        ("image.both", f"app:1@sha256:{'a' * 64}", f"app@sha256:{'a' * 64}"),
        ("image.both", "app:1@sha256:abc", ""),
    ],
)
def test_an_image_gets_the_form_that_is_taken(rule: InvalidRule, wrong: str, right: str) -> None:
    typed = ("acr", "import", wrong, "--site", "berlin")
    command, _ = CATALOGUE.find(typed)
    error = Invalid("image", wrong, rule)
    line = correction(
        typed, error, command, catalogue=CATALOGUE, sites=SITES, permitted=lambda *_: True, slash="/registry"
    )

    assert line == (f"acr import {right} --site berlin" if right else "")


@pytest.mark.parametrize(
    "typed",
    [
        "deploy edge01 --site berlin --force",
        "deploy \u0435dge01 --site berlin",
        "deploy edge01 --site x",
        "show edge01 --site berlin now",
    ],
)
def test_nothing_is_offered_where_nobody_can_know(typed: str) -> None:
    assert offered(typed) == ""


@pytest.mark.parametrize("typed", ["edge01 hamburg", "deploy edge01 to hamburg", "deploy edge01 --site hambrug"])
def test_a_site_without_rights_is_not_offered(typed: str) -> None:
    assert "hamburg" not in offered(typed)


def test_every_command_on_a_cards_button_is_one_that_runs() -> None:
    facts = {
        "name": "edge01",
        "other": "edge02",
        "site": "berlin",
        "namespace": "shop",
        "workload": "till",
        "parent": "edge00",
        "repository": "team/app",
        "repositories": "team/app",
        "registry": "contosoacr",
        "extension": "edge",
    }
    kinds = WORDS.values()
    lines = [finding.command.format(**facts) for kind in kinds for finding in kind.findings.values() if finding.command]
    lines += [cause.command.format(**facts) for kind in kinds for cause in kind.causes.values() if cause.command]
    found = [CATALOGUE.find(words(line)) for line in lines]

    assert len(lines) > len(kinds)
    assert [CATALOGUE.parse(command, rest, SITES).missing for command, rest in found] == [()] * len(lines)


def test_a_card_below_another_registry_offers_a_line_with_the_protocol_or_the_form_that_asks_for_it() -> None:
    kinds, facts = WORDS.values(), {"name": "line1", "site": "berlin", "parent": "plant"}
    templates = {finding.command for kind in kinds for finding in kind.findings.values()}
    templates |= {cause.command for kind in kinds for cause in kind.causes.values()}
    connecting = [line for line in templates if line.startswith(("extension deploy ", "extension reinstall "))]
    known = [command_line(template, {**facts, "protocol": "http"}) for template in connecting]
    unknown = [command_line(template, facts) for template in connecting]
    parsed = [CATALOGUE.parse(*CATALOGUE.find(words(line)), SITES).arguments for line in (*known, *unknown)]

    assert len(connecting) > 1
    assert all(arguments.get("parent_protocol") or arguments.get("choose") for arguments in parsed)
    assert set(unknown) == {"extension reinstall line1 --site berlin --choose"}
