"""A change of an extension that a dead process has sent is taken for its own, and is not sent once more."""

from dataclasses import replace
from typing import Any

from services.model.plan import PlannedStep
from services.operations.extension_update.procedure import UPDATE
from services.operations.step import Done, Going, Scene
from tests.unit.steps.scenes import scene
from tests.unit.steps.test_rotation import SENT, Cloud


def changing(cloud: Cloud, **params: object) -> Scene:
    """A step whose change the extension shows already, in a process that has followed one that died."""
    azure: Any = cloud
    values = {"name": "edge01", "settings": {}, "release": {}, "tls_secret": "", "token": "", "slot": "password2"}
    planned = PlannedStep(UPDATE.kind, values | params, "change")
    return replace(scene("extension.install", repeated=True), planned=planned, azure=azure)


async def test_what_is_changed_already_is_not_sent_again() -> None:
    assert UPDATE.wait
    cloud = Cloud("Updating")
    begun = await UPDATE.begin(changing(cloud))
    assert isinstance(begun, Going)
    waiting = await UPDATE.wait(changing(cloud), begun.token)
    cloud.state = "Succeeded"

    assert waiting == begun
    assert await UPDATE.wait(changing(cloud), begun.token) == Done()
    assert cloud.calls == []


async def test_an_extension_that_failed_or_shows_something_else_is_sent_the_change() -> None:
    failed, other = Cloud("Failed"), Cloud("Succeeded")
    await UPDATE.begin(changing(failed))
    await UPDATE.begin(changing(other, release={"version": ("0.10.0", "0.11.0")}))

    assert (failed.calls, other.calls) == (["edge01"], ["edge01"])


async def test_a_certificate_s_name_goes_with_a_new_password_each_time() -> None:
    cloud = Cloud("Succeeded")
    progress = await UPDATE.begin(changing(cloud, token="edge01", tls_secret="edge-certificate"))

    assert isinstance(progress, Going)
    assert (progress.token, cloud.calls) == (SENT, ["password2", "edge01"])
