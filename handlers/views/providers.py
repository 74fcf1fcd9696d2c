"""Resource providers as people see them. Pure."""

from collections.abc import Mapping

from handlers.kit import blocks
from handlers.kit.message import Message
from handlers.kit.text import bold, code, escape, listed
from handlers.views import errors
from services.operations.answers import Answer, Unknown
from services.operations.command_line import registration_lines
from services.policy.sites import CONNECTED_REGISTRIES_TYPE, Site


def card(site: Site, states: Answer[Mapping[str, str]], version: Answer[str]) -> Message:
    """Which are missing on top with the lines that register them, then all, and the api-version in use."""
    noun = "subscription" if len(site.subscriptions) == 1 else "subscriptions"
    subscription = f"the {noun} of {bold(site.name)} ({listed(map(code, site.subscriptions))})"
    text = f"Resource providers of {site.name}"
    if isinstance(states, Unknown):
        head = f":grey_question:  {subscription[0].upper()}{subscription[1:]} could not be asked."
        parts = [blocks.section(f"{head} {errors.explanation(states.error)}")]
    else:
        missing = [name for name, state in states.value.items() if state != "Registered"]
        head = f":white_check_mark:  All resource providers are registered in {subscription}."
        if missing:
            head = f":warning:  {listed(map(code, missing))} {'is' if len(missing) == 1 else 'are'} not registered in"
            head = f"{head} {subscription}. `provider register` does it; it takes up to ten minutes. By hand:"
        parts = [blocks.section(head)]
        if missing:
            parts.append(blocks.rich(blocks.preformatted(registration_lines(site, missing))))
        parts += blocks.fields((escape(name), escape(state) or "unknown") for name, state in states.value.items())
    if isinstance(version, Unknown):
        why = errors.explanation(version.error)
        note = f":grey_question:  The api-version for connected registries is not known. {why}"
    else:
        note = f"Requests for {code(CONNECTED_REGISTRIES_TYPE)} bear the api-version {code(version.value)}."
    return Message(text, (*parts, blocks.context(note)))
