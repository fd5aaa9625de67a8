"""Support, scores and metrics: pure functions, no I/O."""
