"""transferset: transfer sets for knowledge distillation, data first."""

__version__ = "0.1.0"
