"""Rotation of a connected registry's sync token: a new password without a gap, and the end of the old one."""
