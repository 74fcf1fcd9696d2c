"""World files."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox import world


@pytest.fixture
def changed(tmp_path: Path) -> Any:
    def write(change: Any) -> Path:
        content = world.load()
        change(content)
        path = tmp_path / "world.yaml"
        path.write_text(yaml.safe_dump(content))
        return path

    return write


def test_the_default_world_is_sound() -> None:
    assert world.load().keys() == {"slack", "azure", "kube"}


def test_a_section_that_is_left_out_is_the_default_one(tmp_path: Path) -> None:
    path = tmp_path / "world.yaml"
    path.write_text(
        "kube: {clusters: []}\nazure: "
        + yaml.safe_dump({**world.load()["azure"], "connected_clusters": []}, default_flow_style=True)
    )

    assert world.load(path)["slack"] == world.load()["slack"]


def test_a_missing_key_is_named(changed: Any) -> None:
    path = changed(lambda content: content["azure"]["registries"][1].pop("sku"))

    with pytest.raises(world.WorldError, match=r"azure\.registries\[1\]\.sku is missing"):
        world.load(path)


def test_a_value_of_a_wrong_kind_is_named(changed: Any) -> None:
    path = changed(lambda content: content["slack"].update(people="alice"))

    with pytest.raises(world.WorldError, match=r"slack\.people must be a list, but is 'alice'"):
        world.load(path)


def test_an_unknown_section_is_named(changed: Any) -> None:
    path = changed(lambda content: content.update(azur={}))

    with pytest.raises(world.WorldError, match="azur: unknown key"):
        world.load(path)


def test_a_connected_cluster_without_its_cluster_is_named(changed: Any) -> None:
    path = changed(lambda content: content["azure"]["connected_clusters"][0].update(kube="paris"))

    with pytest.raises(world.WorldError, match="names 'paris', which is not in kube"):
        world.load(path)


def test_a_range_that_is_none_is_named(changed: Any) -> None:
    path = changed(lambda content: content["kube"]["clusters"][0].update(service_cidrs=["10.96.0.0/99"]))

    with pytest.raises(world.WorldError, match=r"kube\.clusters\[0\]\.service_cidrs\[0\] is not a network"):
        world.load(path)


def test_a_file_that_is_not_there_is_said_to_be_so(tmp_path: Path) -> None:
    with pytest.raises(world.WorldError, match="No such file"):
        world.load(tmp_path / "nowhere.yaml")


def test_a_file_that_is_no_yaml_is_said_to_be_so(tmp_path: Path) -> None:
    path = tmp_path / "world.yaml"
    path.write_text("a: [")

    with pytest.raises(world.WorldError, match="is not YAML"):
        world.load(path)
