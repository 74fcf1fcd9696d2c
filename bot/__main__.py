"""`python -m bot`: run · check-config · manifest · docs · migrate."""

import argparse
import asyncio
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from bot import configuration, logs, manifest, settings
from bot.problems import Broken, Problem
from handlers import COMMANDS
from handlers.kit import docs


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; the exit code."""
    parser = _parser()
    parsed = parser.parse_args(arguments)
    match parsed.what:
        case "check-config":
            return check_config(ask=parsed.ask)
        case "manifest":
            if parsed.mode == "http" and parsed.url is None:
                parser.error("--mode http needs --url: the address at which Slack reaches the bot, https://…")
            app_manifest = manifest.manifest(COMMANDS, mode=parsed.mode, url=parsed.url or "", command=parsed.command)
            sys.stdout.write(manifest.text(app_manifest))
            return 0
        case "docs":
            return write_docs(parsed.folder, check=parsed.check)
        case "migrate":
            return migrate()
    return run()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bot", description="Run Azure connected registries from Slack.")
    subcommands = parser.add_subparsers(dest="what", metavar="COMMAND")
    subcommands.add_parser("run", help="run the bot until it is told to stop (the default)")
    checked = subcommands.add_parser("check-config", help="print every problem of the settings and both files")
    checked.add_argument("--ask", action="store_true", help="ask Slack, Azure, the database and each cluster too")
    subcommands.add_parser("migrate", help="bring the database's tables up to date")
    app_manifest = subcommands.add_parser("manifest", help="print the Slack app's manifest")
    app_manifest.add_argument("--mode", choices=("socket", "http"), default="socket")
    app_manifest.add_argument("--url", type=_https, help="where Slack reaches the bot (needed with --mode http)")
    app_manifest.add_argument("--command", type=_slash, default="/registry", help="name of the slash command")
    pages = subcommands.add_parser("docs", help="write the generated pages")
    pages.add_argument("--folder", type=Path, default=Path("docs"))
    pages.add_argument("--check", action="store_true", help="write nothing; fail when a page is not fresh")
    return parser


def _https(text: str) -> str:
    if not re.fullmatch(r"https://[^/\s?#]+(/[^\s?#]*)?", text):
        raise argparse.ArgumentTypeError(f"{text!r} has to begin with https:// and name a host")
    return text


def _slash(text: str) -> str:
    if not re.fullmatch(settings.SLASH, text):
        raise argparse.ArgumentTypeError(
            f"{text!r} has to begin with a slash, then up to 31 small letters, digits, - or _"
        )
    return text


def run() -> int:
    """Run until stopped."""
    try:
        chosen = settings.load()
    except Broken as error:
        return _print(error.problems)
    logs.set_up(chosen.log_format, chosen.log_level)
    from bot.start import run as run_bot  # noqa: PLC0415 - the clients are heavy; other commands do without them

    try:
        asyncio.run(run_bot(chosen))
    except Broken as error:
        return _print(error.problems)
    except KeyboardInterrupt:
        return 0
    return 0


def check_config(*, ask: bool = False) -> int:
    """Print everything that is wrong with settings and files; with `ask` also what the outside refuses."""
    problems: list[Problem] = []
    chosen = None
    try:
        chosen = settings.load()
        sites, access = chosen.sites, chosen.access
    except Broken as error:
        problems += error.problems
        sites, access = settings.paths()
    try:
        files = configuration.load(sites, access)
    except Broken as error:
        return _print([*problems, *error.problems])
    if chosen is not None:
        from bot import checking  # noqa: PLC0415 - as in `run`

        problems += checking.local_problems(chosen)
        if ask and not problems:
            problems += asyncio.run(checking.outside_problems(chosen, files.sites))
    if problems:
        return _print(problems)
    grants, approvals = len(files.policy.grants), len(files.policy.approvals)
    sys.stdout.write(f"All is well: {len(files.sites)} sites, {grants} grants, {approvals} approval rules.\n")
    if ask:
        sys.stdout.write("Slack, Azure, the database and every site's cluster answer.\n")
    return 0


def _print(problems: Sequence[Problem]) -> int:
    for problem in problems:
        sys.stderr.write(f"{problem}\n")
    sys.stderr.write(f"{len(problems)} problem{'s' if len(problems) > 1 else ''}.\n")
    return 1


def pages() -> dict[str, str]:
    """The generated pages, by file name."""
    from services.gateways.azure import codes  # noqa: PLC0415 - the clients are heavy; other commands do without them

    return {
        "azure-codes.md": codes.page(),
        "commands.md": docs.commands_page(COMMANDS),
        "permissions.md": docs.permissions_page(COMMANDS),
        "settings.md": settings.page(),
    }


def write_docs(folder: Path, *, check: bool) -> int:
    """Write the generated pages, or see whether they are fresh."""
    stale = [name for name, text in pages().items() if not (folder / name).is_file() or _old(folder / name, text)]
    if check:
        for name in stale:
            sys.stderr.write(f"{folder / name} is not fresh; run `make docs`\n")
        return 1 if stale else 0
    folder.mkdir(parents=True, exist_ok=True)
    for name in stale:
        (folder / name).write_text(pages()[name], encoding="utf-8")
    return 0


def _old(path: Path, text: str) -> bool:
    return path.read_text(encoding="utf-8") != text


def migrate() -> int:
    """Bring the database up to date."""
    try:
        chosen = settings.load()
    except Broken as error:
        return _print(error.problems)
    logs.set_up(chosen.log_format, chosen.log_level)
    from bot.start import migrate as migrate_database  # noqa: PLC0415 - as in `run`

    try:
        asyncio.run(migrate_database(chosen))
    except Broken as error:
        return _print(error.problems)
    return 0


if __name__ == "__main__":
    sys.exit(main())
