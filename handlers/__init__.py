"""What people type and see. A command is one function in a module here and one line below."""

from handlers import about, alerts, audit, checks, connected, deactivate, deploy, help, home, operations, sites, watch  # noqa: A004 - the module is named for what people type
from handlers.kit.command import Command

COMMANDS: tuple[Command, ...] = (
    help.help_,
    home.home,
    about.ping,
    about.whoami,
    checks.check,
    deploy.deploy,
    deactivate.deactivate,
    connected.list_,
    connected.show,
    sites.list_,
    sites.show,
    operations.list_,
    operations.show,
    operations.script,
    operations.approve,
    operations.reject,
    operations.cancel,
    operations.retry,
    watch.watch,
    watch.unwatch,
    watch.watches,
    watch.summary_show,
    alerts.list_,
    alerts.show,
    alerts.acknowledge,
    alerts.snooze,
    audit.audit,
)
