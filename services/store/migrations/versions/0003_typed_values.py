"""What was asked for and what steps hand on carry the tags of their classes; before they were plain mappings."""

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

MANY = 500
"""Operations that are read at once."""
operations = sa.table(
    "operations", sa.column("id"), sa.column("kind"), sa.column("params", sa.JSON), sa.column("plan", sa.JSON)
)
steps = sa.table("steps", sa.column("operation"), sa.column("index"), sa.column("output", sa.JSON))


def upgrade() -> None:
    """Give all deployments their tags."""
    connection = op.get_bind()
    ids = list(connection.scalars(sa.select(operations.c.id).where(operations.c.kind == "deploy")))
    for start in range(0, len(ids), MANY):
        some = ids[start : start + MANY]
        kinds: dict[str, list[str]] = {}
        requests = []
        chosen = sa.select(operations.c.id, operations.c.params, operations.c.plan).where(operations.c.id.in_(some))
        for row in connection.execute(chosen):
            requests.append({"operation_id": row.id, "typed": {"$": "deploy.options", **row.params}})
            kinds[row.id] = [step["kind"] for step in (row.plan or {}).get("steps", ())]
        _write(
            operations.update().where(operations.c.id == sa.bindparam("operation_id")),
            operations.c.params,
            requests,
        )
        outputs = [
            {
                "operation_id": row["operation"],
                "step": row["index"],
                "typed": typed(kinds[row["operation"]][row["index"]], row["output"]),
            }
            for row in connection.execute(sa.select(steps).where(steps.c.operation.in_(some))).mappings()
            if row["index"] < len(kinds[row["operation"]])
        ]
        _write(
            steps.update().where(
                steps.c.operation == sa.bindparam("operation_id"), steps.c.index == sa.bindparam("step")
            ),
            steps.c.output,
            outputs,
        )


def _write(update: Any, column: Any, rows: Iterable[dict[str, Any]]) -> None:
    rows = list(rows)
    if rows:
        op.get_bind().execute(update.values({column: sa.bindparam("typed", type_=sa.JSON)}), rows)


def typed(step: str, output: dict[str, Any]) -> dict[str, Any] | None:  # noqa: PLR0911 - one a kind of step
    """An output as later versions store it; None where there was nothing to hand on."""
    if any(key.endswith(".late") for key in output):
        return {"$": "StillUnderWay"}
    kept = next((key.removeprefix("kept ") for key in output if key.startswith("kept ")), "")
    match step:
        case "service_ip.hold" if "service_ip" in output:
            return {"$": "deploy.address_held", "address": output["service_ip"]}
        case "acr.import" if kept:
            return {"$": "deploy.image_kept", "image": kept}
        case "connected.create" if "gateway_endpoint" in output:
            return {"$": "deploy.registry_created", "gateway_endpoint": output["gateway_endpoint"]}
        case "extension.install" if output:
            return {"$": "deploy.extension_installed", "version": output.get("extension_version", "")}
        case "cluster.verify" if output:
            return {
                "$": "deploy.runtime_verified",
                "address": output.get("service", ""),
                "volume": output.get("volume", ""),
            }
        case "connected.online" if output:
            return {"$": "deploy.registry_online", "last_sync": output.get("last_sync")}
        case "connected.synced" if output:
            return {"$": "deploy.registry_synced", "last_sync": output.get("last_sync")}
    return None
