"""Resource providers as people see them. Pure."""

from collections.abc import Mapping

from handlers.kit import blocks
from handlers.kit.language import t
from handlers.kit.message import Message
from handlers.kit.text import bold, code, escape, listed
from handlers.views import errors
from services.operations.answers import Answer, Unknown
from services.operations.command_line import registration_lines
from services.policy.sites import CONNECTED_REGISTRIES_TYPE, Site


def card(site: Site, states: Answer[Mapping[str, str]], version: Answer[str]) -> Message:
    """Which are missing on top with the lines that register them, then all, and the api-version in use."""
    noun = t("subscription") if len(site.subscriptions) == 1 else t("subscriptions")
    subscription = t(
        "the {noun} of {site} ({subscriptions})",
        noun=noun,
        site=bold(site.name),
        subscriptions=listed(map(code, site.subscriptions)),
    )
    text = t("Resource providers of {site}", site=site.name)
    if isinstance(states, Unknown):
        head = t(
            ":grey_question:  {upper}{subscription} could not be asked.",
            upper=subscription[0].upper(),
            subscription=subscription[1:],
        )
        parts = [blocks.section(f"{head} {errors.explanation(states.error)}")]
    else:
        missing = [name for name, state in states.value.items() if state != "Registered"]
        head = t(
            ":white_check_mark:  All resource providers are registered in {subscription}.", subscription=subscription
        )
        if missing:
            head = t(
                ":warning:  {missing} {are} not registered in",
                missing=listed(map(code, missing)),
                are=t("is") if len(missing) == 1 else t("are"),
            )
            head = t(
                "{head} {subscription}. `provider register` does it; it takes up to ten minutes. By hand:",
                head=head,
                subscription=subscription,
            )
        parts = [blocks.section(head)]
        if missing:
            parts.append(blocks.rich(blocks.preformatted(registration_lines(site, missing))))
        parts += blocks.fields((escape(name), escape(state) or t("unknown")) for name, state in states.value.items())
    if isinstance(version, Unknown):
        why = errors.explanation(version.error)
        note = t(":grey_question:  The api-version for connected registries is not known. {why}", why=why)
    else:
        note = t(
            "Requests for {type} bear the api-version {version}.",
            type=code(CONNECTED_REGISTRIES_TYPE),
            version=code(version.value),
        )
    return Message(text, (*parts, blocks.context(note)))
