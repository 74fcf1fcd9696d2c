"""What tests with the sandbox share."""
