"""Rows of sets as a model reads them: ids, labels and logits, from mapped files."""
