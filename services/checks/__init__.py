"""Preflight checks: pure functions over what was observed, each declared once, in the order of reading."""

from services.checks import cloud, names, extension, cluster  # noqa: F401, I001 - importing declares the checks, in this order
from services.checks.codes import Code
from services.checks.declaration import CHECKS, Check, run, site_names
from services.checks.look import observe

__all__ = ["CHECKS", "Check", "Code", "observe", "run", "site_names"]
