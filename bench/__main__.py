"""`python -m bench [NAME ...]`: measure, and print one table."""

import argparse
import asyncio
import os
import platform
import sys
import time
import traceback
from collections.abc import Sequence
from importlib import import_module

from bench import BENCHMARKS
from bench.report import Row, table


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the command line names; the exit code is 1 when a benchmark could not be run to its end."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure the bot against the sandbox.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    names = parser.parse_args(arguments).names or list(BENCHMARKS)
    if unknown := [name for name in names if name not in BENCHMARKS]:
        parser.error(f"there is no benchmark {unknown[0]!r}; there are: {', '.join(BENCHMARKS)}")
    began, rows, broken = time.monotonic(), list[Row](), False
    for name in names:
        sys.stderr.write(f"{name}: {BENCHMARKS[name]} …\n")
        try:
            rows += asyncio.run(import_module(f"bench.{name}").measure())
        except Exception:  # noqa: BLE001 - the others' figures are not lost with it
            traceback.print_exc()
            broken = True
    sys.stdout.write(f"{table(rows)}\n\n{_circumstances(time.monotonic() - began)}\n")
    return 1 if broken else 0


def _circumstances(took: float) -> str:
    """What the figures depend on."""
    system = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    return f"{system}; load average at the end {os.getloadavg()[0]:.1f}; took {took:.0f} s."


if __name__ == "__main__":
    sys.exit(main())
