"""A change of the extension that runs a connected registry: its version, its upgrades, its TLS, its trust."""
