"""Cloud registries as people see them. Pure."""

from collections import Counter

from handlers.kit import blocks
from handlers.kit.blocks import button
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
    title = f"{bold(name)} (site {code(site.name)})"
    below = "could not be asked"
    if isinstance(connected, Known):
        states = Counter(registry.connection_state for registry in connected.value)
        words = listed(f"{number} {escape(state)}" for state, number in sorted(states.items()))
        below = f"{len(connected.value)} of at most {CONNECTED_REGISTRIES_PER_ACR}" + (f": {words}" if words else "")
    fields = [("Connected registries", below)]
    match answer:
        case Unknown(error=error):
            head = f":grey_question:  {title} could not be asked. {errors.explanation(error)}"
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
            verdict = listed(lacking) if lacking else "it has what connected registries need"
            head = f"{mark}  {title}: {verdict}."
            fields = [*_facts(registry), *fields]
        case _:
            created = site.acr.create_in
            what = (
                f"{code(f'{slash} acr create {site.name}')} creates it in {code(created)}."
                if created
                else f"{code(f'{slash} acr create {site.name} --location REGION')} creates it."
            )
            head, fields = f":heavy_minus_sign:  There is no registry {title}. {what}", []
    parts = [blocks.section(head), *blocks.fields(fields)]
    if isinstance(connected, Unknown) and fields:
        parts.append(blocks.context(f":grey_question:  {errors.explanation(connected.error)}"))
    parts.append(blocks.actions(button("List", runs=f"list --site {site.name}")))
    return Message(f"Cloud registry {name}", tuple(parts))


def _facts(registry: Registry) -> list[tuple[str, str]]:
    access = {"enabled": "from everywhere", "disabled": "private endpoints only"}
    public = access.get(registry.public_network_access.casefold(), escape(registry.public_network_access))
    if registry.default_action.casefold() == "deny" and registry.public_network_access.casefold() != "disabled":
        public = "from listed networks only"
    endpoints = listed(map(code, registry.data_endpoint_hosts))
    return [
        ("Tier", escape(registry.sku)),
        ("Location", escape(registry.location)),
        ("Login server", code(registry.login_server)),
        ("Data endpoints", endpoints or ("on" if registry.data_endpoint else "off")),
        ("Network access", public),
        ("Admin user", "on, and nothing here needs it" if registry.admin_user else "off, and not needed"),
        ("State", escape(registry.provisioning_state)),
    ]
