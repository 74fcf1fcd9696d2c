"""`python -m bench [NAME ...]`: measure, and print one table."""

import argparse
import asyncio
import os
import platform
import sys
import time
from collections.abc import Sequence
from importlib import import_module

from bench import BENCHMARKS
from bench.report import Row, table


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the command line names; the exit code is 1 when a goal is missed."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure the bot against the sandbox.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    names = parser.parse_args(arguments).names or list(BENCHMARKS)
    if unknown := [name for name in names if name not in BENCHMARKS]:
        parser.error(f"there is no benchmark {unknown[0]!r}; there are: {', '.join(BENCHMARKS)}")
    began, rows = time.monotonic(), list[Row]()
    for name in names:
        sys.stderr.write(f"{name}: {BENCHMARKS[name]} …\n")
        rows += asyncio.run(import_module(f"bench.{name}").measure())
    sys.stdout.write(f"{table(rows)}\n\n{_circumstances(time.monotonic() - began)}\n")
    return 1 if any(row.met is False for row in rows) else 0


def _circumstances(took: float) -> str:
    """What the figures depend on."""
    system = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    return f"{system}; load average at the end {os.getloadavg()[0]:.1f}; took {took:.0f} s."


if __name__ == "__main__":
    sys.exit(main())
