"""Deploy a connected registry to a site's cluster and prove that it works."""
