"""The extension of a connected registry from scratch. It stands above the kinds whose steps it joins."""
