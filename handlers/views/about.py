"""The answers to ping and whoami. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from handlers.kit import blocks
from handlers.kit.message import Message
from handlers.kit.text import bold, channel, code, date, duration, escape, listed, mention
from services.model.about import About
from services.model.errors import (
    AgentsAway,
    DomainError,
    NoAccess,
    NotAllowed,
    NotAuthenticated,
    Throttled,
    Unreachable,
)
from services.model.people import Person
from services.policy.access import Denial, Grant


def ping(
    about: About,
    answers: Sequence[tuple[str, timedelta | DomainError | TimeoutError]],
    deadline: timedelta,
    *,
    reference: str,
    now: datetime,
) -> Message:
    """Each outside system with the time that it took to answer, or why it did not answer within `deadline`."""
    head = f"Version {code(about.version)} on {escape(about.engine)}, up for {duration(now - about.started)}."
    lines = "\n".join(f"{bold(name)}: {_answer(answer, deadline)}" for name, answer in answers)
    foot = f"Reference {code(reference)}, {date(now)}"
    return Message(f"{head}\n{lines}", (blocks.section(head), blocks.section(lines), blocks.context(foot)))


def _answer(answer: timedelta | DomainError | TimeoutError, deadline: timedelta) -> str:  # noqa: C901, PLR0911 - one a kind
    match answer:
        case timedelta():
            return f"{answer.total_seconds() * 1000:.0f} ms"
        case TimeoutError():
            return f"no answer within {deadline.total_seconds():.0f} s"
        case AgentsAway():
            return f"Azure Arc has no contact with it ({escape(answer.state)})"
        case Unreachable(reason="arc_kubeconfig" | "arc_proxy"):
            return "its Arc proxy does not run"
        case Unreachable():
            return "could not be reached"
        case NotAuthenticated(reason="arc_credential"):
            return "rejects the token of its Arc proxy"
        case NoAccess():
            return "not asked, the site file says `access: none`"
        case NotAuthenticated():
            return "rejects the bot's identity"
        case NotAllowed():
            return "answers, but the bot's identity may not read this"
        case Throttled():
            return "throttles the bot's requests"
    return "answers with an error"


def whoami(
    person: Person,
    grants: Sequence[tuple[Grant, str]],
    denials: Sequence[Denial],
    channels: Sequence[str],
    groups_problem: str,
) -> Message:
    """A person's roles here, what they are denied, and where they have more roles.

    Args:
        person: The person who ran the command.
        grants: The grants that apply in this channel, each with the entry that names the person.
        denials: The denials that apply in this channel.
        channels: Ids of channels in which more grants apply.
        groups_problem: Slack's error code if user groups can't be listed, otherwise empty.
    """
    kind = "a guest" if person.is_guest else "a member of another workspace" if person.is_external else "a member"
    sections = [
        f"You are {mention(person.id)} ({code(person.id)}), {kind}. Your time zone is {escape(person.tz)}.",
        "You have no role in this channel.",
    ]
    if grants:
        lines = [
            f"• {listed(f'*{role}*' for role in grant.roles)} at {_where(grant)}, as {code(entry)}"
            f" (rule _{escape(grant.name)}_)"
            for grant, entry in grants
        ]
        sections[1] = "In this channel you are:\n" + "\n".join(lines)
    if grants and denials:
        lines = [
            f"• {listed(map(code, one.permissions)) or 'anything'} at {_where(one)} (rule _{escape(one.name)}_)"
            for one in denials
        ]
        sections.append("Regardless of your roles, you may not use:\n" + "\n".join(lines))
    if channels:
        sections.append(f"You have more roles in {listed(map(channel, channels))}.")
    groups = sorted(group for group in person.groups if not group.startswith("S"))
    if groups_problem:
        sections.append(
            f"Slack does not let the bot read user groups ({code(groups_problem)}), so roles of groups don't count."
            " User groups need a paid plan, and the bot needs the scope `usergroups:read`."
        )
    elif groups:
        sections.append(f"Your user groups: {listed(f'@{escape(group)}' for group in groups)}.")
    return Message("\n".join(sections), tuple(map(blocks.section, sections)))


def _where(rule: Grant | Denial) -> str:
    places = [*map(code, rule.sites), *(f"every {escape(environment)} site" for environment in rule.environments)]
    return listed(places) if places else "every site"
