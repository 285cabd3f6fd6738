"""Causal language models: fitting them to a set's texts, and sampling new texts from them."""
