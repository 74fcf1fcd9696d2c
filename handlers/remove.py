"""Remove a connected registry from a site, with everything that is there for it."""

from handlers.kit import blocks
from handlers.kit.command import Arguments, command
from handlers.kit.language import t
from handlers.kit.message import Field, Message, Modal
from handlers.kit.request import Request
from handlers.kit.text import code
from handlers.kit.words import join
from handlers.orders import order
from services.model.errors import Invalid
from services.operations.remove.request import RemoveOptions
from services.policy.sites import Site
from services.services import Services

_FLAGS = ("keep_client_tokens", "without_cluster", "dry_run")


async def _form(_request: Request, given: Arguments, _services: Services) -> Modal:
    """Asks for what was not typed, and for the name once more: nothing that goes can be brought back."""
    name, site = str(given.get("name") or ""), given.get("site")
    typed = [name] if name else []
    typed += ["--site", site.name] if isinstance(site, Site) else []
    typed += ["--extension", str(given["extension"])] if given.get("extension") else []
    typed += [f"--{flag.replace('_', '-')}" for flag in _FLAGS if given.get(flag)]
    fields = [
        Field("name", t("Name"), required=True, positional=True, placeholder="edge01"),
        Field("site", t("Site"), kind="suggest", required=True),
        Field("confirm", t("Type {name} once more", name=name or t("the name")), required=True),
    ]
    missing = {"name": not name, "site": not isinstance(site, Site), "confirm": not given.get("dry_run")}
    what = code(name) if name else t("The connected registry")
    note = t(
        "{what} is deleted, with its extension and its images at the edge. You see the whole plan first.", what=what
    )
    return Modal(
        t("Remove a registry"),
        t("Remove"),
        join(["remove", *typed]),
        tuple(field for field in fields if missing[field.parameter]),
        notes=(blocks.section(note),),
    )


@command(
    "remove",
    needs="registry:write",
    examples=("remove edge01 --site berlin", "remove edge01 --site berlin --dry-run"),
    changes=True,
    modal=_form,
)
async def remove(
    request: Request,
    name: str,
    *,
    site: Site,
    confirm: str = "",
    extension: str = "",
    keep_client_tokens: bool = False,
    without_cluster: bool = False,
    dry_run: bool = False,
    services: Services,
) -> Message | Modal | None:
    """Remove a connected registry from a site: its Arc extension, itself, its tokens and its scope maps.

    The plan says before who else depends on it: connected registries below it, workloads that pull from it, data that
    exists at the edge alone. What others use stays. You type the name once more to confirm.

    Args:
        name: Of the connected registry.
        site: Where it runs.
        confirm: The name once more; a form asks for it.
        extension: Name of the site's extension, where the plan asks whose it is; `none` when it runs another registry.
        keep_client_tokens: Keep the tokens with which clients sign in at it.
        without_cluster: For a cluster that is gone for good: nothing in it is looked at or waited for.
        dry_run: Only show the plan and the checks; write nothing.
    """
    options = RemoveOptions(extension, keep_client_tokens=keep_client_tokens, without_cluster=without_cluster)
    if not dry_run and confirm != name:
        if not confirm and request.trigger_id:
            given = {"name": name, "site": site, "extension": extension, "keep_client_tokens": keep_client_tokens}
            return await _form(request, given | {"without_cluster": without_cluster}, services)
        raise Invalid("confirm", confirm, "confirm.differs", {"name": name})
    return await order(request, services, kind="remove", target=name, site=site, options=options, dry_run=dry_run)
