"""The edge: what runs at connected clusters, which knows them by the Kubernetes API and Azure by HTTPS."""

from sandbox.edge.kubelet import is_edge_image
from sandbox.edge.part import AGENT_KEY, EdgePart

__all__ = ["AGENT_KEY", "EdgePart", "is_edge_image"]
