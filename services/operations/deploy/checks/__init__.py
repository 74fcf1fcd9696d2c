"""Preflight checks: pure functions over what was observed, each declared once, in the order of reading."""

from services.operations.deploy.checks import cloud, names, extension, cluster  # noqa: F401, I001 - importing declares the checks, in this order
from services.operations.deploy.checks.codes import Code
from services.operations.deploy.checks.declaration import CHECKS, Check, run, site_names
from services.operations.deploy.checks.look import observe

__all__ = ["CHECKS", "Check", "Code", "observe", "run", "site_names"]
