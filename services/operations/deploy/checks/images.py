"""Checks of what the repositories hold: an edge that syncs empty ones serves nothing."""

from difflib import get_close_matches

from services.model.plan import Finding
from services.operations.arrival_checks import may_wait
from services.operations.checks import blocker, check, ok, required, warning
from services.operations.deploy.codes import Code
from services.operations.deploy.observation import Observation
from services.operations.deploy.request import DeployRequest, image_import
from services.policy.sites import Site


@check("images.wait", title="Images can be waited for at the edge", essential=True)
def wait(site: Site, request: DeployRequest, observation: Observation) -> Finding | None:
    """The edge is asked by a Job in its cluster."""
    if not request.wait_for_images:
        return None
    return may_wait(site, observation.registry_named(request.name), observation.reader_place)


@check("images.found", title="Repositories hold images")
def images(site: Site, request: DeployRequest, observation: Observation) -> Finding | None:
    """A repository holds an image, or gets the one that the site imports; an existing tag is never overwritten."""
    if not request.repositories:
        return None
    digests = {repository: required(answer) for repository, answer in observation.images.items()}
    for repository, digest in digests.items():
        imported = image_import(site, repository)
        if imported and imported.digest and digest and digest != imported.digest:
            facts = {"image": f"{repository}:{imported.tag}", "digest": digest, "expected": imported.digest}
            return blocker(Code.IMAGE_DIFFERS, **facts)
    empty = [repository for repository, digest in digests.items() if not digest and repository not in site.images]
    if not empty:
        return ok(Code.IMAGES_FOUND, repositories=request.repositories)
    familiar = {*site.images, *site.sync.repositories, *(name for name, digest in digests.items() if digest)}
    near = tuple(get_close_matches(empty[0], familiar - set(empty), n=1))
    if request.mode == "ReadWrite":
        return warning(Code.REPOSITORIES_EMPTY_FOR_NOW, empty=tuple(empty))
    return blocker(Code.REPOSITORY_MISSPELT if near else Code.REPOSITORIES_EMPTY, empty=tuple(empty), near=near)
