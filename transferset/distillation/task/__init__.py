"""Learning tasks from labels and logits."""
