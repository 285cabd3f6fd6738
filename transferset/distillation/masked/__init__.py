"""Pre-training distillation of masked language models."""
