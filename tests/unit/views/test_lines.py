"""The lines that people copy into their own shell act on what they are about, whatever their Azure CLI has chosen."""

from collections.abc import Iterator

import pytest

from handlers.views import causes, findings, refusals
from handlers.views.procedures import WORDS
from services.model.errors import Failure, Locked, ProviderNotRegistered
from services.model.plan import Finding
from services.operations.causes import facts_of, failure_of
from services.operations.checks import UNASKED
from services.operations.deploy.causes import Cause
from tests.golden.values import SITE

LISTS_ALL_SUBSCRIPTIONS = "az account list"
PLANTS = "/subscriptions/33333333-3333-4333-8333-333333333333/resourceGroups/plants"
CLUSTER = f"{PLANTS}/providers/Microsoft.Kubernetes/connectedClusters/berlin-arc"


def commands() -> Iterator[str]:
    """Each call of the Azure CLI in the words for causes, findings and refusals."""
    lines = {words.line for words in causes.CAUSES.values()} | {words.line for words in refusals.WORDS.values()}
    for kind in WORDS.values():
        lines |= {words.line for words in kind.causes.values()} | {words.line for words in kind.findings.values()}
    for line in lines:
        for part in line.replace("; ", " && ").replace("do az ", "az ").split(" && "):
            if part.startswith("az ") and not part.startswith(LISTS_ALL_SUBSCRIPTIONS):
                yield part


@pytest.mark.parametrize("command", sorted(set(commands())))
def test_a_line_of_the_azure_cli_names_its_subscription(command: str) -> None:
    assert " --subscription " in f"{command} "


def test_what_azure_refuses_is_still_mended_by_the_command_of_the_kind_of_operation() -> None:
    error = ProviderNotRegistered("azure", CLUSTER, "MissingSubscriptionRegistration", provider="Microsoft.Kubernetes")
    text = causes.render(Failure(Cause.PROVIDER_MISSING, facts_of(error)), "deploy", SITE.names)

    assert text.command == f"provider register {SITE.name}"
    assert text.line.startswith("az provider register --namespace Microsoft.Kubernetes --subscription 33333333-")


@pytest.mark.parametrize(
    ("scope", "reason", "line"),
    [
        (PLANTS, "lock", f"az lock list --resource-group plants --subscription {PLANTS.split('/')[2]} --output table"),
        (
            PLANTS.rpartition("/resourceGroups")[0],
            "lock_on_subscription",
            f"az lock list --subscription {PLANTS.split('/')[2]} --output table",
        ),
        ("", "lock", f"az lock list --resource-group plants --subscription {PLANTS.split('/')[2]} --output table"),
    ],
)
def test_locks_are_listed_where_the_lock_is_and_not_in_the_cloud_registrys_group(
    scope: str, reason: str, line: str
) -> None:
    error = Locked("azure", f"{CLUSTER}/extensions/edge01", "ScopeLocked", "It is locked.", reason=reason, scope=scope)
    failure: Failure = failure_of(error)
    finding = Finding("", "unknown", UNASKED, {**SITE.names, **failure.facts, "titles": ("Clusters",)})

    assert causes.render(failure, "deploy", SITE.names).line == line
    assert findings.render(finding, "deploy").line == line
