"""The answers to ping and whoami. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from handlers.kit import blocks
from handlers.kit.language import t
from handlers.kit.message import Message
from handlers.kit.text import bold, channel, code, date, duration, escape, labelled, listed, mention
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
    head = t(
        "Version {version} on {engine}, up for {age}.",
        version=code(about.version),
        engine=escape(about.engine),
        age=duration(now - about.started),
    )
    lines = "\n".join(labelled(bold(name), _answer(answer, deadline)) for name, answer in answers)
    foot = t("Reference {reference}, {now}", reference=code(reference), now=date(now))
    return Message(f"{head}\n{lines}", (blocks.section(head), blocks.section(lines), blocks.context(foot)))


def _answer(answer: timedelta | DomainError | TimeoutError, deadline: timedelta) -> str:  # noqa: C901, PLR0911 - one a kind
    match answer:
        case timedelta():
            return t("{total_seconds:.0f} ms", total_seconds=answer.total_seconds() * 1000)
        case TimeoutError():
            return t("no answer within {total_seconds:.0f} s", total_seconds=deadline.total_seconds())
        case AgentsAway():
            return t("Azure Arc has no contact with it ({state})", state=escape(answer.state))
        case Unreachable(reason="arc_kubeconfig" | "arc_proxy"):
            return t("its Arc proxy does not run")
        case Unreachable():
            return t("could not be reached")
        case NotAuthenticated(reason="arc_credential"):
            return t("rejects the token of its Arc proxy")
        case NoAccess():
            return t("not asked, the site file says `access: none`")
        case NotAuthenticated():
            return t("rejects the bot's identity")
        case NotAllowed():
            return t("answers, but the bot's identity may not read this")
        case Throttled():
            return t("throttles the bot's requests")
    return t("answers with an error")


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
    kind = (
        t("a guest") if person.is_guest else t("a member of another workspace") if person.is_external else t("a member")
    )
    sections = [
        t(
            "You are {person} ({id}), {kind}. Your time zone is {tz}.",
            person=mention(person.id),
            id=code(person.id),
            kind=kind,
            tz=escape(person.tz),
        ),
        t("You have no role in this channel."),
    ]
    if grants:
        lines = [
            t(
                "• {roles} at {places}, as {entry} (rule _{rule}_)",
                roles=listed(f"*{role}*" for role in grant.roles),
                places=_where(grant),
                entry=code(entry),
                rule=escape(grant.name),
            )
            for grant, entry in grants
        ]
        sections[1] = t("In this channel you are:\n") + "\n".join(lines)
    if grants and denials:
        lines = [
            t(
                "• {permissions} at {places} (rule _{rule}_)",
                permissions=listed(map(code, one.permissions)) or "anything",
                places=_where(one),
                rule=escape(one.name),
            )
            for one in denials
        ]
        sections.append(t("Regardless of your roles, you may not use:\n") + "\n".join(lines))
    if channels:
        sections.append(t("You have more roles in {channels}.", channels=listed(map(channel, channels))))
    groups = sorted(group for group in person.groups if not group.startswith("S"))
    if groups_problem:
        sections.append(
            t(
                "Slack does not let the bot read user groups ({groups_problem}), so roles of groups don't count."
                " User groups need a paid plan, and the bot needs the scope `usergroups:read`.",
                groups_problem=code(groups_problem),
            )
        )
    elif groups:
        sections.append(t("Your user groups: {groups}.", groups=listed(f"@{escape(group)}" for group in groups)))
    return Message("\n".join(sections), tuple(map(blocks.section, sections)))


def _where(rule: Grant | Denial) -> str:
    places = [
        *map(code, rule.sites),
        *(t("every {environment} site", environment=escape(environment)) for environment in rule.environments),
    ]
    return listed(places) if places else t("every site")
