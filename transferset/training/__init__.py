"""Training loops that can be stopped and resumed exactly: order, schedules, checkpoints, log."""
