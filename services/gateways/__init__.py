"""The outside systems that are asked and changed. Each room translates foreign errors once, at its border."""
