"""Where the programs of a real control plane are. `python -m sandbox.controlplane.assets` prints the folder.

Only the standard library is imported, because the build runs this before there is a virtual environment.
"""

import hashlib
import os
import sys
from collections.abc import Mapping
from pathlib import Path

PROGRAMS = ("etcd", "kube-apiserver", "kube-controller-manager")
VARIABLE = "KUBEBUILDER_ASSETS"
MODULE = Path(__file__).parents[2] / "tools" / "kube" / "go.mod"
"""What the programs are built from. Each version has its own folder."""


class AssetsMissingError(Exception):
    """There is no control plane to start; the text says how to build one."""


def folder(environment: Mapping[str, str] = os.environ) -> Path:
    """`KUBEBUILDER_ASSETS`, or the folder that `make kube-assets` builds into."""
    if named := environment.get(VARIABLE):
        return Path(named)
    cache = environment.get("XDG_CACHE_HOME") or Path(environment.get("HOME", "~")).expanduser() / ".cache"
    mark = hashlib.sha256(MODULE.read_bytes()).hexdigest()[:16] if MODULE.is_file() else "none"
    return Path(cache) / "registry-bot" / "kube-assets" / mark


def locate(where: Path | None = None) -> Path:
    """The folder, after checking that all programs are in it.

    Raises:
        AssetsMissingError: a program is missing.
    """
    where = folder() if where is None else where
    missing = [name for name in PROGRAMS if not os.access(where / name, os.X_OK)]
    if missing:
        raise AssetsMissingError(
            f"no {missing[0]} in {where}. Run `make kube-assets` (it needs Go), or set {VARIABLE} to a folder that has "
            f"{', '.join(PROGRAMS)}."
        )
    return where


if __name__ == "__main__":
    sys.stdout.write(f"{folder()}\n")
