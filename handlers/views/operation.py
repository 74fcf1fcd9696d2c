"""An operation as people see it: the card, the lines in its thread, its details, a list. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from datetime import timedelta

from handlers.kit import blocks
from handlers.kit.blocks import Button, Confirm, TaskStatus, button
from handlers.kit.language import phrase, t
from handlers.kit.message import Block, Message
from handlers.kit.text import bold, code, count, cut, date, duration, escape, labelled, listed, mention
from handlers.views import causes, errors, findings
from handlers.views.facts import short
from handlers.views.procedures import WORDS, rollback, words_of
from handlers.views.procedures.words import StepWords
from services.model.errors import DomainError, Failure
from services.model.operation import (
    ApprovalRequest,
    Decision,
    Event,
    Note,
    Operation,
    Paused,
    Related,
    State,
    StepRun,
    StillUnderWay,
)
from services.model.plan import Finding, PlannedStep
from services.operations.reinstall.request import ReinstallOptions
from services.operations.rollback.request import RollbackOptions

MOST_FINDINGS = 12
"""Findings shown on a card; a message has 50 blocks."""
MOST_DIFFERENCES = 10
MOST_DETAILS = 150
"""Characters of a step's details in a section, which holds 3,000."""
MOST_CHILDREN = 20
"""Parts listed on a card; a section holds 3,000 characters."""

_VERDICTS: Mapping[str, str] = {"approve": phrase("approved"), "reject": phrase("rejected"), "retry": phrase("retried")}
_EFFECTS: Mapping[str, str] = {
    "create": phrase("Create"),
    "change": phrase("Change"),
    "reuse": phrase("Keep"),
    "delete": phrase("Delete"),
    "verify": phrase("Verify"),
    "hold": phrase("Hold"),
    "reserve": phrase("Reserve"),
    "temporary": phrase("Meanwhile"),
}
_STATES: Mapping[State, tuple[str, str]] = {
    "planning": (":hourglass_flowing_sand:", phrase("planning")),
    "blocked": (":no_entry:", phrase("blocked")),
    "previewed": (":mag:", phrase("dry run")),
    "waiting": (":raised_hand:", phrase("waiting for approval")),
    "queued": (":hourglass_flowing_sand:", phrase("queued")),
    "running": (":arrows_counterclockwise:", phrase("running")),
    "succeeded": (":white_check_mark:", phrase("done")),
    "failed": (":x:", phrase("failed")),
    "cancelled": (":heavy_minus_sign:", phrase("cancelled")),
    "rejected": (":no_entry_sign:", phrase("rejected")),
    "expired": (":alarm_clock:", phrase("expired")),
}
FOLDED: frozenset[State] = frozenset({"succeeded", "failed", "cancelled", "rejected", "expired"})
"""States in which a card no longer lists its steps."""
_ENGINE_STEPS: Mapping[str, StepWords] = {"child.gate": StepWords("Parts above, of which {most_failed} may fail")}
_STEP_MARKS: Mapping[TaskStatus, str] = {
    "pending": ":white_circle:",
    "in_progress": ":arrows_counterclockwise:",
    "complete": ":white_check_mark:",
    "error": ":x:",
}


def name(operation: Operation) -> str:
    """Such as `Deploy edge01 to berlin`."""
    return _named(operation)


def _named(operation: Operation | Related) -> str:
    return t(words_of(operation.kind).title, target=operation.target, site=operation.site)


def _state(operation: Operation | Related) -> tuple[str, str]:
    """Emoji and word; a success has the word of its kind."""
    mark, word = _STATES[operation.state][0], t(_STATES[operation.state][1])
    words = words_of(operation.kind)
    if operation.state != "succeeded":
        return mark, word
    is_idle = isinstance(operation, Operation) and operation.is_idle
    return mark, t(words.idle if words.idle and is_idle else words.success)


def summary(operation: Operation) -> str:
    """One line for notifications and screen readers: `Deploy edge01 to berlin: online, approved by bob`."""
    _, word = _state(operation)
    return labelled(name(operation), f"{word}{_addition(operation)}")


def _addition(operation: Operation) -> str:
    match operation.state:
        case "queued" if operation.waits_for:
            return t(
                ", waiting for {waits_for}",
                waits_for=listed(f"{_named(one)} ({one.id})" for one in operation.waits_for),
            )
        case "running" if operation.cancelling:
            return t(", stopping for {cancelling}", cancelling=operation.cancelling)
        case "succeeded" | "running" | "failed":
            retries = dict.fromkeys(decision.name for decision in operation.decisions if decision.verdict == "retry")
            approved = (
                t(", approved by {approvals}", approvals=listed(one.name for one in operation.approvals))
                if operation.approvals
                else ""
            )
            return approved + (t(", retried by {retries}", retries=listed(retries)) if retries else "")
        case "rejected" | "cancelled" if operation.outcome:
            return t(" by {by}", by=operation.outcome.by) if operation.outcome.by else ""
    return ""


# --- the card -------------------------------------------------------------------------------------------------------


def card(operation: Operation, *, plan_blocks: bool = True) -> Message:
    """The operation's message. Some workspaces refuse plan blocks; there the steps are lines of a section."""
    buttons = _buttons(operation)
    sections = [
        *_head(operation),
        *_middle(operation),
        *_steps(operation, plan_blocks=plan_blocks),
        *_children(operation),
        *_verdict(operation),
        *([blocks.actions(*buttons)] if any(buttons) else []),
    ]
    return Message(escape(summary(operation)), tuple(sections), visibility="channel")


def preview(operation: Operation) -> Message:
    """A dry run, for the eyes of whoever asked for it. What private messages may hold is not known of plan blocks."""
    return replace(card(operation, plan_blocks=False), visibility="private")


def _head(operation: Operation) -> Iterator[Block]:
    mark, word = _state(operation)
    yield blocks.section(f"{mark}  {bold(name(operation))}  ·  {word}{escape(_addition(operation))}")
    request = t(
        "requested by {requester} {created}", requester=mention(operation.requester), created=date(operation.created)
    )
    yield blocks.context(f"{request}  ·  {escape(operation.environment)}  ·  {code(operation.id)}")


def _middle(operation: Operation) -> Iterator[Block]:
    match operation.state:
        case "planning":
            yield blocks.context(t("Looking at the site. Nothing changes before you have seen the plan."))
        case "blocked":
            yield from _differences(operation)
            yield from _findings(operation, {"blocker", "warning"})
        case "previewed":
            if not operation.planned:
                yield blocks.context(words_of(operation.kind).nothing(operation))
            yield from _findings(operation, {"warning", "unknown"})
        case "waiting":
            yield from _differences(operation)
            yield from _findings(operation, {"warning", "unknown"})


def _verdict(operation: Operation) -> Iterator[Block]:
    """What is asked, or how it ended: below the plan, beside the buttons, where a phone shows it."""
    match operation.state:
        case "waiting":
            yield from _approval(operation)
        case "previewed":
            yield blocks.context(t("This was a dry run: nothing was written."))
        case "succeeded" if operation.is_idle:
            yield blocks.context(words_of(operation.kind).nothing(operation))
        case "succeeded":
            unproven = (t("Not looked at in the cluster"), findings.unproven(operation.plan))
            took = (t("Took"), duration(_took(operation)) if operation.ended_at else "")
            yield from blocks.fields((*words_of(operation.kind).fields(operation), unproven, took))
        case "failed":
            yield from _failure(operation)
        case "rejected" if operation.outcome and operation.outcome.reason:
            yield blocks.section("\n".join(f"> {line}" for line in escape(operation.outcome.reason).splitlines()))
        case "cancelled" if leftovers := _leftovers(operation):
            yield blocks.section(t("It stopped after a step. {leftovers}", leftovers=leftovers))
            yield from _password_left(operation)
        case "expired":
            yield blocks.context(
                t("Nobody decided in time. Nothing was written. Run the command again for a new request.")
            )


def _findings(operation: Operation, levels: set[str]) -> Iterator[Block]:
    all_findings = findings.ordered(operation.plan.findings) if operation.plan else ()
    relevant = [finding for finding in all_findings if finding.level in levels]
    for finding in relevant[:MOST_FINDINGS]:
        # A deployment fixes warnings itself, so no command line is shown for them here; `check` shows it.
        yield finding_block(finding, operation.kind, with_line=finding.level != "warning")
    if len(relevant) > MOST_FINDINGS:
        show = blocks.accessory(button(t("Show all"), runs=f"check {operation.site}"), "findings")
        yield blocks.section(t("and {number} more", number=len(relevant) - MOST_FINDINGS), accessory=show)


def finding_block(finding: Finding, kind: str, *, with_line: bool = True) -> Block:
    """A finding with how to fix it, and the command line that does."""
    text = findings.render(finding, kind)
    paragraph = f"{text.icon}  {text.sentence}"
    if text.fix:
        paragraph += f"\n{text.fix}"
    if text.line and with_line:
        paragraph += f"\n{code(text.line)}"
    return _with_command(paragraph, text.command, f"fix:{finding.check}")


def _with_command(paragraph: str, command: str, id_: str, confirm: Confirm | None = None) -> Block:
    """A section with a button that runs the command, if there is one."""
    if not command:
        return blocks.section(paragraph)
    run = button(command_label(command), runs=command, confirm=confirm)
    return blocks.section(paragraph, accessory=blocks.accessory(run, id_))


def command_label(command: str) -> str:
    """What a button that runs this command says; with an ellipsis where a form comes first."""
    kind = next((kind for kind in WORDS if command.startswith(f"{kind} ")), command.split(maxsplit=1)[0])
    label = kind.replace("acr ", "ACR ")
    return f"{label[0].upper()}{label[1:]}{'…' if command.endswith(' --choose') else ''}"


def _differences(operation: Operation) -> Iterator[Block]:
    """What has changed since the plan was made or approved."""
    if operation.approved is None or operation.plan is None:
        return
    before, after = operation.approved.observed, operation.plan.observed
    keys = [key for key in sorted({*before, *after}) if before.get(key) != after.get(key)]
    # A key such as `sync_token.scope_map` reads `sync token, scope map`.
    lines = [
        f"• {escape(key.replace('.', ', ').replace('_', ' '))}: ~{_fact(before.get(key))}~ → {_fact(after.get(key))}"
        for key in keys[:MOST_DIFFERENCES]
    ]
    changes = "\n".join(lines) or ("" if operation.plan.blockers else t("The steps have changed."))
    since = t("approved") if operation.decisions else t("planned")
    headline = t(":warning: *Something has changed since this was {since}*, so nothing was written.", since=since)
    yield blocks.section(f"{headline}\n{changes}".rstrip())


def _fact(value: object) -> str:
    match value:
        case None | "":
            return t("none")
        case bool():
            return t("yes") if value else t("no")
    return escape(cut(short(str(value)), 60))


def _approval(operation: Operation) -> Iterator[Block]:
    request = operation.approval_request
    if request is None:
        return
    missing = request.count - len(operation.approvals)
    approved = (
        t(" {approvals} approved.", approvals=listed(one.name for one in operation.approvals))
        if operation.approvals
        else ""
    )
    approvers = listed(map(escape, request.approvers), t("or"))
    needed = t("one approval") if missing == 1 else t("{missing} approvals", missing=missing)
    digest = operation.plan.digest if operation.plan else ""
    yield blocks.context(t("Rule {rule}  ·  plan {digest}", rule=bold(request.rule), digest=code(digest)))
    question = f":raised_hand:  {bold(t('{name}?', name=name(operation)))}"
    expires = t("Expires {expires}.", expires=date(request.expires))
    yield blocks.section(
        t(
            "{question} Needs {needed} from {approvers}.{approved} {expires}",
            question=question,
            needed=needed,
            approvers=approvers,
            approved=escape(approved),
            expires=expires,
        )
    )


def _took(operation: Operation) -> timedelta:
    began = operation.started_at or operation.created
    return (operation.ended_at or began) - began


def _failure(operation: Operation) -> Iterator[Block]:
    error = operation.outcome.error if operation.outcome else None
    if isinstance(error, Failure):
        cause = causes.render(error, operation.kind, _names(operation))
        line = f"\n{code(cause.line)}" if cause.line else ""
        # What mends a cause changes something, and not every site asks for an approval.
        question = Confirm(t("Run this command?"), f"{cause.command}\n{cause.remedy}", t("Run it"), t("Not now"))
        yield _with_command(f"{cause.sentence}\n{cause.remedy}{line}", cause.command, "repair", question)
        if error.correlation_id:
            yield blocks.context(
                t("Azure's correlation id: {correlation_id}", correlation_id=code(error.correlation_id))
            )
    elif isinstance(error, DomainError):
        yield blocks.section(errors.explanation(error))
    passwords = list(_password_left(operation))
    leftovers = _leftovers(operation)
    if leftovers or not passwords:
        yield blocks.context(leftovers or t("Nothing was left behind."))
    yield from passwords


def _names(operation: Operation) -> Mapping[str, object]:
    """Names at the site, as the checks recorded them, and what was asked for that an installation takes too."""
    results = operation.plan.findings if operation.plan else ()
    step = operation.outcome.step if operation.outcome else None
    title = _title(operation.kind, operation.planned[step]) if step is not None else ""
    choices = {field.name: getattr(operation.options, field.name, None) for field in fields(ReinstallOptions)}
    requested = {f"--{name.replace('_', '-')}": value for name, value in choices.items() if value}
    own = {"name": operation.target, "site": operation.site, "step": title, "requested": requested}
    return {**own, **(results[0].facts if results else {})}


def _leftovers(operation: Operation) -> str:
    """What the run created, changed or did not delete; of an unfinished step only a look can tell."""
    keeps = words_of(operation.kind).keeps
    remains = operation.outcome.remains if operation.outcome else None
    made: dict[bool, list[str]] = {True: [], False: []}
    deletions: dict[str, list[str]] = {"complete": [], "uncertain": [], "pending": []}
    for run in operation.steps:
        planned = operation.planned[run.index]
        title = escape(_title(operation.kind, planned))
        if planned.effect == "delete":
            deletions[run.state if run.state in deletions else "uncertain"].append(title)
        elif planned.effect in {"create", "change"} and run.state != "pending" and not keeps(run.output):
            is_certain = run.state == "complete" or bool(remains)
            if is_certain or remains is None:
                made[is_certain].append(title)
    certain, possible = listed(made[True]), listed(made[False])
    leftovers = t("; ").join(filter(None, [certain, t("perhaps {possible}", possible=possible) if possible else ""]))
    deleted, uncertain, pending = map(listed, deletions.values())
    nothing = t("Nothing was deleted.") if uncertain or pending else ""
    parts = (
        t("Left behind: {leftovers}.", leftovers=leftovers) if leftovers else "",
        t("Deleted: {deleted}.", deleted=deleted) if deleted else nothing,
        t("Perhaps deleted: {uncertain}.", uncertain=uncertain) if uncertain else "",
        t("Still there: {remaining}.", remaining=pending) if pending else "",
    )
    return " ".join(filter(None, parts))


def _password_left(operation: Operation) -> Iterator[Block]:
    """A password that may be nobody's, and how it ends; one that something may work with is not to be ended by hand."""
    left = operation.outcome.password if operation.outcome else None
    if left is None:
        return
    names = {"token": code(left.token), "slot": code(left.slot)}
    if not left.slot:
        sentence = t("Azure could not be asked whether the token {token} has a new password. This shows it:", **names)
    elif operation.outcome and operation.outcome.remains is False:
        sentence = t("Nobody has the new password of the token {token} in {slot}. This ends it:", **names)
    else:
        sentence = t(
            "The token {token} has a new password in {slot}, and something may work with it already: a retry replaces"
            " it. This ends it once nothing works with it:",
            **names,
        )
    yield blocks.section(f"{sentence}\n{code(left.line)}")


# --- steps ----------------------------------------------------------------------------------------------------------


def _steps(operation: Operation, *, plan_blocks: bool) -> Iterator[Block]:
    if not operation.planned or operation.state == "blocked":
        return
    title = _plan_title(operation)
    if operation.state in FOLDED:
        # In one line: whoever opens the channel later wants the end; `Show details` has every step.
        ending = t(", none was run") if operation.state in {"rejected", "expired"} else ""
        step = operation.outcome.step if operation.state == "failed" and operation.outcome else None
        if step is not None:
            ending = t(", stopped at {kind}", kind=bold(step_title(operation.kind, operation.planned[step])))
        yield blocks.context(f"{title}{ending}")
        return
    if plan_blocks:
        tasks = []
        for position, planned in enumerate(operation.planned):
            details = _words(operation.kind, planned).details_of(planned.params)
            output = _small(operation, position).removeprefix("  ·  ")
            task = blocks.task(
                f"{operation.id}-{position}",
                step_title(operation.kind, planned),
                _status(operation, position, planned),
                details=blocks.rich(details) if details else None,
                output=blocks.rich(output) if output else None,
            )
            tasks.append(task)
        yield blocks.plan(title, tasks)
        return
    lines = []
    for index, planned in enumerate(operation.planned):
        mark, small = _STEP_MARKS[_status(operation, index, planned)], _small(operation, index)
        details = " ".join(_words(operation.kind, planned).details_of(planned.params).split())
        text = f"{mark}  {escape(step_title(operation.kind, planned))}{small}"
        lines.append(f"{text}  ·  {escape(cut(details, MOST_DETAILS))}" if details else text)
    yield blocks.section(bold(title) + "\n" + "\n".join(lines))


def _children(operation: Operation) -> Iterator[Block]:
    """Its parts: one line each with its state and id."""
    lines = []
    for child in operation.children[:MOST_CHILDREN]:
        mark, word = _state(child)
        lines.append(f"{mark}  {escape(_named(child))}  ·  {word}  ·  {code(child.id)}")
    if lines:
        yield blocks.section("\n".join(lines))
    if len(operation.children) > MOST_CHILDREN:
        yield blocks.context(t("and {number} more", number=len(operation.children) - MOST_CHILDREN))


def _plan_title(operation: Operation) -> str:
    to_do = [index for index, step in enumerate(operation.planned) if step.runs]
    reused = len(operation.planned) - len(to_do)
    done = sum(operation.steps[index].state == "complete" for index in to_do if index < len(operation.steps))
    remark = (
        t(", {reused} kept as {are}", reused=reused, are=t("it is") if reused == 1 else t("they are")) if reused else ""
    )
    if not to_do:
        return t(
            "{steps}, kept as {reused}",
            steps=count(reused, "step"),
            reused=t("it is") if reused == 1 else t("they are"),
        )
    steps = count(len(to_do), "step")
    if operation.state in {"waiting", "previewed", "queued", "rejected", "expired"}:
        return t("Plan: {steps}{remark}", steps=steps, remark=remark)
    return t("{done} of {steps} done{remark}", done=done, steps=steps, remark=remark)


def step_title(kind: str, step: PlannedStep) -> str:
    """Such as `Create: Scope map edge01`, for a step of this kind of operation."""
    return labelled(t(_EFFECTS[step.effect]), _title(kind, step))


def _title(kind: str, step: PlannedStep) -> str:
    params = dict(step.params)
    if step.starts_child:
        return t(words_of(str(params["kind"])).title, target=params["target"], site=params["site"])
    return t(_words(kind, step).title).format_map(params)


def _words(kind: str, step: PlannedStep) -> StepWords:
    return words_of(kind).steps.get(step.kind) or _ENGINE_STEPS.get(step.kind) or StepWords(step.kind.replace(".", " "))


def _status(operation: Operation, index: int, step: PlannedStep) -> TaskStatus:
    if not step.runs:
        return "complete"
    run = _run(operation, index)
    if run.state == "running":
        return "in_progress" if operation.state == "running" else "pending"
    return "pending" if run.state == "pending" else run.state


def _run(operation: Operation, index: int) -> StepRun:
    return operation.steps[index] if index < len(operation.steps) else StepRun(index)


def _small(operation: Operation, index: int) -> str:
    """Duration and remark of a finished step, in small print."""
    run = _run(operation, index)
    if run.state == "running" and operation.state == "running" and isinstance(run.output, Paused):
        system = t(causes.SYSTEMS.get(run.output.service, phrase("The other system")))
        return t("  ·  {system} asked for a pause until {until:%H:%M} UTC", system=system, until=run.output.until)
    if run.state == "running" and operation.state == "running" and isinstance(run.output, Note):
        return f"  ·  {words_of(operation.kind).remark(run.output)}"
    if run.state != "complete":
        return ""
    late = isinstance(run.output, StillUnderWay)
    remark = t("still under way") if late else words_of(operation.kind).remark(run.output)
    return "  ·  " + "  ·  ".join(part for part in (_seconds(run), remark) if part)


def _seconds(run: StepRun) -> str:
    if run.started is None or run.finished is None:
        return ""
    seconds = (run.finished - run.started).total_seconds()
    if seconds < 0.05:  # noqa: PLR2004 - it would read 0.0 s
        return t("at once")
    if seconds >= 10:  # noqa: PLR2004 - from then on in whole seconds
        return duration(run.finished - run.started)
    return t("{number} {unit}", number=f"{seconds:.1f}", unit=t("s"))


# --- buttons --------------------------------------------------------------------------------------------------------


def _buttons(operation: Operation) -> tuple[Button | None, ...]:
    show = button(t("Show details"), runs=f"operation show {operation.id}")
    cancel = button(
        t("Cancel"),
        runs=f"operation cancel {operation.id}",
        confirm=Confirm(
            t("Cancel this operation?"),
            t("{operation} stops after the current step.", operation=name(operation)),
            t("Cancel it"),
            t("Keep it running"),
        ),
    )
    match operation.state:
        case "waiting":
            approve, reject = decision_buttons(operation)
            return approve, reject, cancel, show
        case "queued" | "running":
            return (None if operation.cancelling else cancel), show
        case "failed":
            retry = button(t("Retry"), runs=f"operation retry {operation.id}", style="primary")
            return (retry if operation.plan else None), show
        case "planning":
            return ()
    return (show,)


def decision_buttons(operation: Operation) -> tuple[Button, Button]:
    """Approve, with the plan's digest, and Reject."""
    digest = operation.plan.digest if operation.plan else ""
    question = Confirm(
        t("Approve this?"),
        f"{name(operation)}, {operation.environment}. {_plan_title(operation)}.",
        t("Approve"),
        t("Not now"),
    )
    approve = f"operation approve {operation.id} --digest {digest}"
    return (
        button(t("Approve"), runs=approve, style="primary", confirm=question),
        button(t("Reject…"), runs=f"operation reject {operation.id}", style="danger"),
    )


# --- the thread -----------------------------------------------------------------------------------------------------


def thread_line(operation: Operation, event: Event) -> str:  # noqa: PLR0911 - one per kind
    """The thread's line about an event; empty when there is nothing to add."""
    request = operation.approval_request if operation.state == "waiting" else None
    match event.kind:
        case "step" if event.step is not None and event.step < len(operation.planned):
            run, step = _run(operation, event.step), operation.planned[event.step]
            correlation = f"  ·  {code(run.correlation_id)}" if run.correlation_id else ""
            small = escape(_small(operation, event.step))
            return f":white_check_mark:  {escape(step_title(operation.kind, step))}{small}{correlation}"
        case "approved":
            approvers = listed(escape(one.name) for one in operation.approvals)
            missing = operation.approval_request.count - len(operation.approvals) if operation.approval_request else 0
            more = (
                t(". {approvals} needed", approvals=count(missing, "more approval"))
                if operation.state == "waiting" and missing > 0
                else ""
            )
            return t(":thumbsup:  Approved by {approvers}{more}", approvers=approvers, more=more) if approvers else ""
        case "withdrawn":
            return t(
                ":no_entry_sign:  The approval of {name} no longer counts, since they may not decide about this any"
                " more.",
                name=escape(str(event.facts.get("name", ""))),
            )
        case "asked" if request:
            return t(":raised_hand:  {request}please look at the plan above and decide.", request=_mentions(request))
        case "reminded" if request:
            return t(
                ":alarm_clock:  {request}this request expires {expires}.",
                request=_mentions(request),
                expires=date(request.expires),
            )
        case "retried":
            names = [decision.name for decision in operation.decisions if decision.verdict == "retry"]
            return t(":repeat:  Retried by {names}", names=escape(names[-1])) if names else ""
        case "failed" if operation.state == "failed":  # otherwise a retry began before this was posted
            return f":x:  {labelled(escape(summary(operation)), _cause(operation))} {mention(operation.requester)}"
        case "ended":
            mark, word = _state(operation)
            took = t(" in {took}", took=duration(_took(operation))) if operation.state == "succeeded" else ""
            reason = operation.outcome.reason if operation.state == "rejected" and operation.outcome else ""
            why = f": {escape(' '.join(reason.split()))}" if reason else ""
            ended = escape(labelled(name(operation), f"{word}{took}{_addition(operation)}"))
            return f"{mark}  {ended}{why}. {mention(operation.requester)}"
    return ""


def _mentions(request: ApprovalRequest) -> str:
    """Mentions of the approvers whose ids the policy has."""
    ids = request.mentions
    return "".join(f"<!subteam^{id_}> " if id_.startswith("S") else f"{mention(id_)} " for id_ in ids)


def _cause(operation: Operation) -> str:
    error = operation.outcome.error if operation.outcome else None
    return causes.render(error, operation.kind, _names(operation)).sentence if isinstance(error, Failure) else ""


def is_loud(operation: Operation, event: Event) -> bool:
    """Whether the channel hears of it too: a failure, and how it ended after a failure was said there."""
    is_retried = any(decision.verdict == "retry" for decision in operation.decisions)
    return event.kind == "failed" or (event.kind == "ended" and is_retried)


# --- details and lists ----------------------------------------------------------------------------------------------


def details(operation: Operation, rolled_back: RollbackOptions, *, script: bool = False, trace: str = "") -> Message:
    """Everything about one operation: decisions and steps with their ids.

    `script` says that its plan has one; `trace` is its trace's id where traces are collected. `rolled_back` is what a
    rollback would take back, and why it would not take back more.
    """
    sections = [*_head(operation), *_middle(operation), *_verdict(operation)]
    if operation.decisions:
        sections.append(blocks.section("\n".join([bold(t("Decisions")), *map(_decision, operation.decisions)])))
    if operation.plan:
        rows = [_row(operation, index, step) for index, step in enumerate(operation.planned)]
        sections.append(blocks.table((t("Step"), t("State"), t("Took"), t("Correlation id")), rows))
    if trace:
        sections.append(blocks.context(t("Trace id: {trace}", trace=code(trace))))
    buttons = [button(t("Show as script"), runs=f"operation script {operation.id}")] if script else []
    if operation.state in {"failed", "cancelled"} and rolled_back.steps:
        buttons.append(button(t("Plan a rollback"), runs=f"operation rollback {operation.id} --dry-run"))
    elif operation.state in {"failed", "cancelled"} and rolled_back.reasons:
        sections.append(
            blocks.context(" ".join((t("It can't be rolled back."), rollback.reasons(rolled_back.reasons))))
        )
    if buttons:
        sections.append(blocks.actions(*buttons))
    return Message(escape(summary(operation)), tuple(sections))


def _decision(decision: Decision) -> str:
    reason = f" – {escape(' '.join(decision.reason.split()))}" if decision.reason else ""  # noqa: RUF001 - a dash
    return f"• {labelled(escape(decision.name), t(_VERDICTS[decision.verdict]))} {date(decision.at)}{reason}"


def _row(operation: Operation, index: int, step: PlannedStep) -> tuple[str, str, str, str]:
    run = _run(operation, index)
    state = t("kept") if not step.runs else run.state
    return step_title(operation.kind, step), state, _seconds(run), run.correlation_id


def listing(operations: tuple[Operation, ...], page: int, *, turns: str, more: bool) -> Message:
    """A page of operations, newest first. `turns` is the command of the paging buttons; `more` are on the next page."""
    if not operations:
        text = t("There are no operations yet.") if page == 1 else t("There are no operations that old.")
        return Message(text, (blocks.section(text),))
    rows = [
        (
            one.id,
            name(one),
            _state(one)[1] + _addition(one),
            one.requester_name,
            one.created.strftime("%Y-%m-%d %H:%M"),
        )
        for one in operations
    ]
    table = blocks.table((t("Id"), t("Operation"), t("State"), t("Requested by"), t("When (UTC)")), rows)
    newer = blocks.button(t("Newer"), runs=f"{turns} --page {page - 1}") if page > 1 else None
    older = blocks.button(t("Older"), runs=f"{turns} --page {page + 1}") if more else None
    turning = (blocks.actions(newer, older),) if newer or older else ()
    return Message(t("{number} operations, newest first", number=len(rows)), (table, *turning))
