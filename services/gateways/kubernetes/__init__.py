"""Kubernetes: the one room that speaks to API servers. No rules here; foreign errors become ours in `translation`."""

from services.gateways.kubernetes.gateway import KubernetesGateway

__all__ = ["KubernetesGateway"]
