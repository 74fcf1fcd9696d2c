"""Events of controllers about objects."""

from sandbox.kube.cluster import Cluster
from sandbox.kube.resources import EVENTS, NAMESPACES, Json

REPEATED_AFTER = 10
"""Seconds within which the same event is not recorded again."""
NAMED_BY = "{name}.{number:016x}"


def record(
    cluster: Cluster, about: Json, reason: str, message: str, *, kind: str = "Normal", component: str, host: str = ""
) -> None:
    """Record an event, or increase the count of an identical one, where the cluster records events."""
    if not cluster.records_events:
        return
    metadata = about["metadata"]
    namespace = metadata.get("namespace") or "default"
    home = cluster.store.get(NAMESPACES.key, "", namespace)
    if home is None or "deletionTimestamp" in home["metadata"]:
        return
    involved = {
        "kind": about["kind"],
        "namespace": metadata.get("namespace", ""),
        "name": metadata["name"],
        "uid": metadata["uid"],
        "apiVersion": about["apiVersion"],
        "resourceVersion": metadata.get("resourceVersion", ""),
    }
    existing = next(
        (
            event
            for event in cluster.store.items(EVENTS.key, namespace)
            if event.get("message") == message
            and event.get("reason") == reason
            and (event.get("involvedObject") or {}).get("uid") == involved["uid"]
        ),
        None,
    )
    if existing is not None and cluster.seconds_since(existing["lastTimestamp"]) < REPEATED_AFTER:
        return
    if existing is not None:
        counted = existing | {"count": existing.get("count", 1) + 1, "lastTimestamp": cluster.now()}
        cluster.store.put(EVENTS.key, counted)
        return
    name = NAMED_BY.format(name=metadata["name"], number=cluster.chance.getrandbits(62))
    body = {
        "metadata": {"name": name},
        "involvedObject": {key: value for key, value in involved.items() if value},
        "reason": reason,
        "message": message,
        "type": kind,
        "source": {"component": component} | ({"host": host} if host else {}),
        "reportingComponent": component,
        "reportingInstance": host,
        "firstTimestamp": cluster.now(),
        "lastTimestamp": cluster.now(),
        "count": 1,
        "eventTime": None,
    }
    cluster.create(EVENTS, namespace, body)
