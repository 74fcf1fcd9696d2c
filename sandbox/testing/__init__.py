"""What tests that use the sandbox need beside it; `sandbox.testing.plugin` is a plugin for pytest."""
