"""`python -m bot`: run · check-config · doctor · site add · manifest · docs · migrate · audit."""

import argparse
import asyncio
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path

from bot import configuration, logs, manifest, settings
from bot.problems import Broken, Problem
from handlers import COMMANDS
from handlers.kit import docs
from handlers.kit.moments import past
from handlers.views.errors import plain
from services.model.audit import AuditSelection
from services.model.errors import Invalid


def main(arguments: Sequence[str] | None = None) -> int:  # noqa: PLR0911 - one per command
    """Run the command line and return the exit code."""
    parser = _parser()
    parsed = parser.parse_args(arguments)
    match parsed.command_name:
        case "check-config":
            return diagnose() if parsed.ask else check_config()
        case "doctor":
            return diagnose()
        case "manifest":
            if parsed.mode == "http" and parsed.url is None:
                parser.error("--mode http needs --url, the https:// address at which Slack reaches the bot")
            app_manifest = manifest.manifest(COMMANDS, mode=parsed.mode, url=parsed.url or "", command=parsed.command)
            sys.stdout.write(manifest.text(app_manifest))
            return 0
        case "docs":
            return write_docs(parsed.folder, check=parsed.check)
        case "migrate":
            return migrate()
        case "audit":
            return audit(parsed)
        case "site":
            return add_sites(parsed)
    return run()


def _parser() -> argparse.ArgumentParser:
    def moment(text: str) -> datetime:
        try:
            return past("since", text, datetime.now(UTC), "UTC")
        except Invalid as error:
            raise argparse.ArgumentTypeError(plain(error)) from None

    parser = argparse.ArgumentParser(prog="python -m bot", description="Run Azure connected registries from Slack.")
    subcommands = parser.add_subparsers(dest="command_name", metavar="COMMAND")
    subcommands.add_parser("run", help="run the bot until it is stopped (the default)")
    check = subcommands.add_parser("check-config", help="print every problem in the settings and in both files")
    check.add_argument("--ask", action="store_true", help="the same as doctor")
    subcommands.add_parser(
        "doctor", help="ask Slack, Azure, the database and every cluster what is wrong; 1 if a line says FAIL"
    )
    _add_site_parser(subcommands)
    subcommands.add_parser("migrate", help="bring the database tables up to date")
    audit_parser = subcommands.add_parser("audit", help="check or print who did what, as the database has it")
    audit_commands = audit_parser.add_subparsers(dest="audit_command", metavar="COMMAND", required=True)
    audit_commands.add_parser("verify", help="check that no row was changed or is missing; 1 if one was")
    export = audit_commands.add_parser("export", help="print rows as JSON Lines, oldest first")
    export.add_argument("--since", type=moment, help="such as 7d, 2026-11-30 or 2026-11-30T14:00, in UTC")
    export.add_argument("--by", default="", help="only of this person: a name or a Slack id")
    export.add_argument("--site", action="append", help="only at this site; can be repeated")
    export.add_argument("--operation", default="", help="only about this operation")
    app_manifest = subcommands.add_parser("manifest", help="print the Slack app's manifest")
    app_manifest.add_argument("--mode", choices=("socket", "http"), default="socket")
    url = _matching(r"https://[^/\s?#]+(/[^\s?#]*)?", "must begin with https:// and name a host")
    app_manifest.add_argument("--url", type=url, help="where Slack reaches the bot (required with --mode http)")
    slash = _matching(settings.SLASH, "must be a slash and up to 31 lowercase letters, digits, - or _")
    app_manifest.add_argument("--command", type=slash, default="/registry", help="name of the slash command")
    pages = subcommands.add_parser("docs", help="write the generated pages")
    pages.add_argument("--folder", type=Path, default=Path("docs"))
    pages.add_argument("--check", action="store_true", help="write nothing; fail when a page is out of date")
    return parser


def _add_site_parser(subcommands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    site = subcommands.add_parser("site", help="write sites into the site file")
    commands = site.add_subparsers(dest="site_command", metavar="COMMAND", required=True)
    add = commands.add_parser(
        "add",
        help="ask Resource Manager which registries and clusters there are; with --cluster or --filter, add sites",
    )
    choice = add.add_mutually_exclusive_group()
    choice.add_argument("--cluster", default="", help="name or ARM id of an Arc-enabled cluster")
    choice.add_argument("--filter", default="", dest="pattern", help="clusters by name or group, such as 'plant-*'")
    add.add_argument("--registry", default="", help="name, login server or ARM id; by default the only Premium one")
    subscription = "only in this subscription: name or id; can be repeated"
    add.add_argument("--subscription", action="append", default=[], dest="subscriptions", help=subscription)
    add.add_argument("--environment", default="", help="a word for approval rules, such as production")
    add.add_argument("--identity", default="", help="which identity of REGISTRY_BOT_IDENTITIES asks and works there")
    add.add_argument("--name", default="", help="of the site; may hold {cluster} and {group}")
    add.add_argument("--access", choices=("kubeconfig", "arc"), default="kubeconfig")
    add.add_argument("--kubeconfig", default="", help="path; may hold {site}, {cluster} and {group}")
    add.add_argument("--context", default="{site}", help="in the kubeconfig; may hold the same")
    add.add_argument("--overwrite", action="store_true", help="replace sites of the same names without asking")
    add.add_argument("--dry-run", action="store_true", help="print the entries and write nothing")


def _matching(pattern: str, rule: str) -> Callable[[str], str]:
    """An argument's type: text that matches the pattern."""

    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise argparse.ArgumentTypeError(f"{text!r} {rule}")
        return text

    return check


def run() -> int:
    """Run until stopped."""
    try:
        chosen = settings.load()
    except Broken as error:
        return _print(error.problems)
    logs.set_up(chosen.log_format, chosen.log_level, traced=chosen.traces_url is not None)
    from bot.start import run as run_bot  # noqa: PLC0415 - the clients are heavy; other commands do without them

    try:
        asyncio.run(run_bot(chosen))
    except Broken as error:
        return _print(error.problems)
    except KeyboardInterrupt:
        return 0
    return 0


def check_config() -> int:
    """Print every problem in the settings and files."""
    problems: list[Problem] = []
    chosen, names = None, None
    try:
        chosen = settings.load()
        sites, access = chosen.sites, chosen.access
    except Broken as error:
        problems += error.problems
        sites, access = settings.paths()
    if chosen is not None:
        from bot import identities  # noqa: PLC0415 - as in `run`

        try:
            names = identities.load(chosen.identities, settings.environment())
        except Broken as error:
            problems += error.problems
    try:
        files = configuration.load(sites, access, identities=names)
    except Broken as error:
        return _print([*problems, *error.problems])
    if chosen is not None:
        from bot import checking  # noqa: PLC0415 - as in `run`

        problems += checking.local_problems(chosen)
        problems += checking.site_problems(files.sites, settings.environment())
    if problems:
        return _print(problems)
    grants, approvals = len(files.policy.grants), len(files.policy.approvals)
    counts = {"site": len(files.sites), "grant": grants, "approval rule": approvals}
    counted = ", ".join(f"{number} {noun}{'' if number == 1 else 's'}" for noun, number in counts.items())
    sys.stdout.write(f"No problems: {counted}.\n")
    return 0


def diagnose() -> int:
    """Print an answer to every question about the bot and what it depends on; 1 if one says FAIL."""
    # What the clients log would stand between the answers.
    logs.set_up("text", "error")
    from bot import doctor  # noqa: PLC0415 - as in `run`

    answers = asyncio.run(doctor.examine(settings.environment()))
    for answer in answers:
        sys.stdout.write(f"{answer}\n")
    return 1 if any(answer.level == "FAIL" for answer in answers) else 0


def _print(problems: Sequence[Problem]) -> int:
    for problem in problems:
        sys.stderr.write(f"{problem}\n")
    sys.stderr.write(f"{len(problems)} problem{'s' if len(problems) > 1 else ''}.\n")
    return 1


def pages() -> dict[str, str]:
    """The text of each generated page, by file name."""
    from bot import metrics  # noqa: PLC0415 - as the last one
    from handlers.views import causes  # noqa: PLC0415 - as the next one
    from services.gateways.azure import codes  # noqa: PLC0415 - the clients are heavy; other commands do without them

    return {
        "azure-codes.md": codes.page(),
        "commands.md": docs.commands_page(COMMANDS),
        "failures.md": causes.page(),
        "metrics.md": metrics.page(),
        "permissions.md": docs.permissions_page(COMMANDS),
        "settings.md": settings.page(),
    }


def write_docs(folder: Path, *, check: bool) -> int:
    """Write the generated pages that are out of date, or with `check` only name them."""
    stale = {
        folder / name: text
        for name, text in pages().items()
        if not (folder / name).is_file() or (folder / name).read_text(encoding="utf-8") != text
    }
    if check:
        for path in stale:
            sys.stderr.write(f"{path} is out of date; run `make docs`\n")
        return 1 if stale else 0
    folder.mkdir(parents=True, exist_ok=True)
    for path, text in stale.items():
        path.write_text(text, encoding="utf-8")
    return 0


def migrate() -> int:
    """Migrate the database."""
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


def add_sites(parsed: argparse.Namespace) -> int:
    """Add sites to the site file, or list what there is."""
    from bot import site_add  # noqa: PLC0415 - as in `run`

    values = {item.name: getattr(parsed, item.name) for item in fields(site_add.SiteRequest)}
    request = site_add.SiteRequest(**values | {"subscriptions": tuple(parsed.subscriptions)})
    # What the clients log would stand between the lines.
    logs.set_up("text", "error")

    def confirmed(question: str) -> bool:
        """What a person at the terminal says; no where nobody is."""
        return sys.stdin.isatty() and input(f"{question} [y/N] ").strip().casefold() in {"y", "yes"}

    try:
        return asyncio.run(site_add.add(settings.load(), request, sys.stdout, confirmed))
    except Broken as error:
        return _print(error.problems)


def audit(parsed: argparse.Namespace) -> int:
    """Check the audit's chain, or print rows."""
    try:
        chosen = settings.load()
        from bot import auditing  # noqa: PLC0415 - as in `run`

        if parsed.audit_command == "verify":
            return asyncio.run(auditing.verify(chosen, sys.stdout))
        selection = AuditSelection(parsed.since, parsed.by, parsed.site, parsed.operation)
        return asyncio.run(auditing.export(chosen, selection, sys.stdout))
    except Broken as error:
        return _print(error.problems)


if __name__ == "__main__":
    sys.exit(main())
