"""Who may do what, and where: sites, roles, approval rules. Pure."""
