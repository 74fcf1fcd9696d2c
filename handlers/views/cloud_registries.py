"""Cloud registries as people see them. Pure."""

from collections import Counter

from handlers.kit import blocks
from handlers.kit.blocks import button
from handlers.kit.language import t
from handlers.kit.message import Message
from handlers.kit.text import bold, code, escape, listed
from handlers.views import errors
from services.model.azure import ConnectedRegistry, Registry
from services.operations.answers import Answer, Known, Unknown
from services.policy.sites import CONNECTED_REGISTRIES_PER_ACR, Site


def card(
    site: Site,
    answer: Answer[Registry | None],
    connected: Answer[tuple[ConnectedRegistry, ...]],
    *,
    slash: str = "/registry",
) -> Message:
    """What connected registries need of it on top, then what it is."""
    name = site.acr.name
    title = t("{name} (site {site})", name=bold(name), site=code(site.name))
    below = t("could not be asked")
    if isinstance(connected, Known):
        states = Counter(registry.connection_state for registry in connected.value)
        words = listed(f"{number} {escape(state)}" for state, number in sorted(states.items()))
        below = t("{number} of at most {most}", number=len(connected.value), most=CONNECTED_REGISTRIES_PER_ACR) + (
            f": {words}" if words else ""
        )
    fields = [(t("Connected registries"), below)]
    match answer:
        case Unknown(error=error):
            head = t(
                ":grey_question:  {title} could not be asked. {error}", title=title, error=errors.explanation(error)
            )
            fields = []
        case Known(value=Registry() as registry):
            # What stands in the way of connected registries (Learn: intro-connected-registry).
            obstacles = {
                f"it is {escape(registry.provisioning_state)}": registry.provisioning_state != "Succeeded",
                f"its tier is {escape(registry.sku)}, and connected registries need Premium": registry.sku != "Premium",
                "its dedicated data endpoint is off, which `acr update` enables": not registry.data_endpoint,
            }
            lacking = [obstacle for obstacle, is_there in obstacles.items() if is_there]
            mark = ":warning:" if lacking else ":white_check_mark:"
            verdict = listed(lacking) if lacking else t("it has what connected registries need")
            head = f"{mark}  {title}: {verdict}."
            fields = [*_facts(registry), *fields]
        case _:
            created = site.acr.create_in
            what = (
                t(
                    "{line} creates it in {created}.",
                    line=code(f"{slash} acr create {site.name}"),
                    created=code(created),
                )
                if created
                else t("{line} creates it.", line=code(f"{slash} acr create {site.name} --location REGION"))
            )
            head, fields = t(":heavy_minus_sign:  There is no registry {title}. {what}", title=title, what=what), []
    parts = [blocks.section(head), *blocks.fields(fields)]
    if isinstance(connected, Unknown) and fields:
        parts.append(blocks.context(f":grey_question:  {errors.explanation(connected.error)}"))
    parts.append(blocks.actions(button(t("List"), runs=f"list --site {site.name}")))
    return Message(t("Cloud registry {name}", name=name), tuple(parts))


def _facts(registry: Registry) -> list[tuple[str, str]]:
    access = {"enabled": t("from everywhere"), "disabled": t("private endpoints only")}
    public = access.get(registry.public_network_access.casefold(), escape(registry.public_network_access))
    if registry.default_action.casefold() == "deny" and registry.public_network_access.casefold() != "disabled":
        public = t("from listed networks only")
    endpoints = listed(map(code, registry.data_endpoint_hosts))
    return [
        (t("Tier"), escape(registry.sku)),
        (t("Location"), escape(registry.location)),
        (t("Login server"), code(registry.login_server)),
        (t("Data endpoints"), endpoints or (t("on") if registry.data_endpoint else t("off"))),
        (t("Network access"), public),
        (t("Admin user"), t("on, and nothing here needs it") if registry.admin_user else t("off, and not needed")),
        (t("State"), escape(registry.provisioning_state)),
    ]
