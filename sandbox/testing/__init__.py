"""Support for tests that use the sandbox; `sandbox.testing.plugin` is a plugin for pytest."""
