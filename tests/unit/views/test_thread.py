"""What an operation's card and thread say, and what the channel hears too."""

from dataclasses import replace

import pytest

from handlers.views.operation import card, is_loud, name, summary, thread_line
from services.model.operation import Decision, Event, EventKind
from services.operations.deploy.outputs import ExtensionInstalled
from tests.golden.values import ASKED, NOW, STATES


def event(kind: EventKind, step: int | None = None) -> Event:
    return Event(1, "op-7k3q9xa", kind, NOW, step)


def test_approvers_are_called_when_a_decision_is_due() -> None:
    assert thread_line(STATES["waiting"], event("asked")) == (
        ":raised_hand:  <!subteam^S0APPROVERS> <@U0DANA> please look at the plan above and decide."
    )


def test_nobody_is_called_about_what_is_decided_already() -> None:
    assert thread_line(STATES["rejected"], event("asked")) == ""
    assert thread_line(STATES["expired"], event("reminded")) == ""


def test_a_reminder_names_the_end() -> None:
    assert "this request expires <!date^" in thread_line(STATES["waiting"], event("reminded"))


def test_approvers_whom_the_policy_names_without_an_id_are_not_called() -> None:
    unnamed = replace(STATES["waiting"], approval_request=replace(ASKED, mentions=()))

    assert thread_line(unnamed, event("asked")) == ":raised_hand:  please look at the plan above and decide."


def test_a_step_is_told_with_how_long_it_took_and_azures_id() -> None:
    assert thread_line(STATES["succeeded"], event("step", 3)) == (
        ":white_check_mark:  Create: Image hello-world:latest  ·  12 s  ·  existed already and was kept"
        "  ·  `0e7f9c1a-0000-4000-8000-000000000001`"
    )


def test_a_step_of_a_plan_that_is_another_one_now_is_not_told() -> None:
    assert thread_line(STATES["succeeded"], event("step", 99)) == ""


@pytest.mark.parametrize("state", ["queued", "running", "succeeded"])
def test_a_failure_is_not_reported_once_a_retry_has_begun(state: str) -> None:
    assert thread_line(STATES["failed"], event("failed")).startswith(":x:")
    assert thread_line(STATES[state], event("failed")) == ""


@pytest.mark.parametrize("kind", ["asked", "reminded", "step", "approved", "ended"])
def test_the_channel_hears_of_failures_only(kind: EventKind) -> None:
    assert is_loud(STATES["succeeded"], event("failed"))
    assert not is_loud(STATES["succeeded"], event(kind))


def test_the_channel_hears_how_a_retry_ended_and_the_thread_who_retried() -> None:
    retried = replace(STATES["succeeded"], decisions=(Decision(-2, "U0CAROL", "carol", "retry", NOW),))

    assert is_loud(retried, event("ended"))
    assert thread_line(retried, event("retried")) == ":repeat:  Retried by carol"
    assert "online, retried by carol" in summary(retried)


@pytest.mark.parametrize("state", ["succeeded", "rejected", "expired", "cancelled"])
def test_the_requester_is_mentioned_at_each_end(state: str) -> None:
    assert thread_line(STATES[state], event("ended")).endswith(f" <@{STATES[state].requester}>")
    assert thread_line(STATES["failed"], event("failed")).endswith(f" <@{STATES['failed'].requester}>")


@pytest.mark.parametrize("state", STATES)
def test_a_summary_says_what_and_where_and_how_it_is(state: str) -> None:
    assert summary(STATES[state]).startswith(f"{name(STATES[state])}: ")


def test_a_success_shows_what_the_extension_warns_of() -> None:
    warning = ExtensionInstalled("0.11.0", ("the upgrade is pending",))
    steps = [replace(step, output=warning) if step.index == 7 else step for step in STATES["succeeded"].steps]

    assert "Succeeded, but reports: the upgrade is pending" in str(
        card(replace(STATES["succeeded"], steps=tuple(steps))).blocks
    )
