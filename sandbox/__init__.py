"""Stand-ins for Slack, Azure and Kubernetes on the loopback interface, spoken to by unmodified clients.

Nothing here imports the product, so that the two can't share a misunderstanding.
"""

__version__ = "0.1.0"
