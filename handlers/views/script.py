"""An operation's plan as a shell script: what its steps do, by az and kubectl. Pure."""

from collections.abc import Sequence

from handlers.kit import blocks
from handlers.kit.language import t
from handlers.kit.message import File, Message
from handlers.kit.text import bold, code, count, escape
from handlers.views.bicep import is_stated
from handlers.views.operation import name, step_title
from services.model.operation import Operation


def script(operation: Operation, lines: Sequence[str], *, cloud: str) -> Message:
    """The script as a file, which a phone can copy or pass on whole.

    `lines` belong to the plan's steps, in order. `cloud` is the cloud's name in `az cloud list`, empty for the public
    one.
    """
    steps = count(sum(step.runs for step in operation.planned), "step")
    head = t("{operation} as a script of {steps}", operation=bold(name(operation)), steps=steps)
    notes = [
        t("It runs with your own rights and asks for nothing. Passwords are not in it: it fetches them as it runs.")
    ]
    if is_stated(operation):
        notes.append(t("`operation script {id} --bicep` sends what a Bicep file can state of it.", id=operation.id))
    if operation.live:
        notes.append(
            t(
                "Cancel {operation} before you run it, so that the bot does not do the same meanwhile.",
                operation=code(operation.id),
            )
        )
    file = File(
        f"{operation.kind}-{operation.target}-{operation.site}.sh",
        f"{name(operation)}.sh",
        text(operation, lines, cloud),
    )
    sections = (blocks.section(head), blocks.context(*notes))
    return Message(
        escape(t("{operation} as a script of {steps}", operation=name(operation), steps=steps)),
        sections,
        visibility="direct",
        file=file,
    )


def none(operation: Operation) -> Message:
    """There is no script of this operation."""
    sentence = t(
        "{operation} has no plan that could be shown as a script: it is still being planned, its checks",
        operation=code(operation.id),
    )
    sentence += t(" have stopped it, or its site {site} is no longer configured.", site=code(operation.site))
    return Message(sentence, (blocks.section(sentence),))


def text(operation: Operation, lines: Sequence[str], cloud: str = "") -> str:
    """The script itself, for any POSIX shell."""
    digest = operation.plan.digest if operation.plan else ""
    needs = t("az with its extension k8s-extension, and az login")
    if any("kubectl " in line for line in lines):
        needs = t("az with its extension k8s-extension, az login, kubectl, and its context for the cluster")
    in_cloud = t("The Azure CLI has to be in this cloud: {line}", line=f"az cloud set --name {cloud}")
    written = [
        "#!/bin/sh",
        _comment(
            t(
                "{operation}: the plan {digest} of {id}, as az and kubectl lines.",
                operation=name(operation),
                digest=digest,
                id=operation.id,
            )
        ),
        _comment(t("You need: {needs}.", needs=needs)),
        *([_comment(in_cloud)] if cloud else []),
        t("set -eu"),
    ]
    for number, (step, line) in enumerate(zip(operation.planned, lines, strict=True), 1):
        written += ["", _comment(f"{number}. {step_title(operation.kind, step)}")]
        if line:
            written.append(line)
        elif step.starts_child:
            written.append(_comment(t("This part is an operation with a plan and a script of its own.")))
        elif not step.runs:
            written.append(_comment(t("There is nothing to do.")))
    return "\n".join(written) + "\n"


def _comment(sentence: str) -> str:
    """On one line, whatever is in it: a second one would be run."""
    return f"# {' '.join(sentence.split())}"
