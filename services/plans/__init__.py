"""Pure planners: a request and the observed world become a list of steps."""
