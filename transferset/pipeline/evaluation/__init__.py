"""The parts of `evaluate`."""
