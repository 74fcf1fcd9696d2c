"""Where the programs of a real control plane are looked for, and what is put into its clusters."""

from pathlib import Path
from typing import Any

import pytest

from sandbox.__main__ import main
from sandbox.controlplane import assets
from sandbox.controlplane.part import own_ranges
from sandbox.controlplane.world import placed

ENTRY: dict[str, Any] = {
    "name": "berlin",
    "service_cidrs": ["10.96.0.0/24", "10.97.0.0/24"],
    "nodes": [{"name": "berlin-1", "arch": "arm64"}],
    "storage_classes": [{"name": "standard", "default": True}, {"name": "own", "provisioner": "example.com/disk"}],
}


def program(folder: Path, name: str) -> None:
    (folder / name).touch(mode=0o755)


def test_the_variable_names_the_folder() -> None:
    assert assets.folder({"KUBEBUILDER_ASSETS": "/opt/envtest"}) == Path("/opt/envtest")


def test_without_it_the_folder_belongs_to_what_is_built_from(tmp_path: Path) -> None:
    folder = assets.folder({"XDG_CACHE_HOME": str(tmp_path)})

    assert folder.parent == tmp_path / "registry-bot" / "kube-assets"
    assert len(folder.name) == 16


def test_all_programs_there_is_a_control_plane(tmp_path: Path) -> None:
    for name in assets.PROGRAMS:
        program(tmp_path, name)

    assert assets.locate(tmp_path) == tmp_path


def test_one_that_lacks_is_named_with_the_way_to_get_it(tmp_path: Path) -> None:
    program(tmp_path, "etcd")

    with pytest.raises(assets.AssetsMissingError, match=r"no kube-apiserver in .* `make kube-assets`"):
        assets.locate(tmp_path)


def test_a_folder_without_them_is_a_wrong_option(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--control-plane", str(tmp_path)]) == 2
    assert "no etcd in" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("ranges", "own"),
    [
        (["10.96.0.0/16"], ["10.96.0.0/16"]),
        (["10.96.0.0/16", "10.98.0.0/28"], ["10.96.0.0/16"]),
        (["10.96.0.0/16", "10.98.0.0/28", "fd00::/112"], ["10.96.0.0/16", "fd00::/112"]),
    ],
)
def test_an_api_server_has_one_range_of_a_family_of_its_own(ranges: list[str], own: list[str]) -> None:
    assert own_ranges(ranges) == own


def test_nodes_say_where_their_kubelet_answers() -> None:
    node = next(one for one in placed(ENTRY, ("127.0.0.1", 4321)) if one.resource.plural == "nodes")

    assert node.body["status"]["addresses"][0] == {"type": "InternalIP", "address": "127.0.0.1"}
    assert node.body["status"]["daemonEndpoints"] == {"kubeletEndpoint": {"Port": 4321}}
    assert node.body["metadata"]["labels"]["kubernetes.io/arch"] == "arm64"


def test_usual_volumes_are_made_by_the_simulated_kubelet_and_others_are_not() -> None:
    classes = {
        one.body["metadata"]["name"]: one.body["provisioner"]
        for one in placed(ENTRY, ("127.0.0.1", 1))
        if one.resource.plural == "storageclasses"
    }

    assert classes == {"standard": "sandbox.local/edge", "own": "example.com/disk"}


def test_further_ranges_are_put_in_and_the_first_is_left_to_the_api_server() -> None:
    ranges = [one.body["spec"]["cidrs"] for one in placed(ENTRY, ("", 1)) if one.resource.plural == "servicecidrs"]

    assert ranges == [["10.97.0.0/24"]]


def test_what_the_api_server_sets_is_left_to_it() -> None:
    for placed_object in placed(ENTRY, ("", 1)):
        assert not {"uid", "resourceVersion", "creationTimestamp"} & placed_object.body["metadata"].keys()
