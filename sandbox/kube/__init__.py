"""A stand-in for the API servers of edge clusters, spoken to by unmodified Kubernetes clients.

`KubePart` serves each cluster of the world on an HTTPS port of its own. Behind the HTTP layer (`server`) stands a
`Cluster`, which keeps objects by the API server's rules, and `Controllers`, which do what a controller manager, a
scheduler and kubelets do.
"""

from sandbox.kube.kubelet import ImagePull, PullRefusedError
from sandbox.kube.part import KubePart

__all__ = ["ImagePull", "KubePart", "PullRefusedError"]
