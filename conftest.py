"""What the tests of the product and those of the sandbox share."""

pytest_plugins = ["sandbox.testing.plugin"]
