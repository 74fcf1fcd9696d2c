"""The real control plane as processes."""

from pathlib import Path

from sandbox.controlplane.control_plane import ControlPlane
from sandbox.tls import Authority


async def test_nothing_is_left_of_the_clusters_that_a_folder_held_before(
    control_plane_programs: Path, tmp_path: Path
) -> None:
    leftover = tmp_path / "etcd" / "member" / "left"
    leftover.mkdir(parents=True)
    plane = ControlPlane(control_plane_programs, tmp_path, Authority(tmp_path))

    await plane.start()
    await plane.stop()

    assert not leftover.exists()
