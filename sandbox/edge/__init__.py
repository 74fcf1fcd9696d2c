"""The edge: what runs at connected clusters. It uses only the Kubernetes API, and HTTPS to Azure."""

from sandbox.edge.kubelet import is_of_the_edge
from sandbox.edge.part import AGENT_KEY, EdgePart

__all__ = ["AGENT_KEY", "EdgePart", "is_of_the_edge"]
