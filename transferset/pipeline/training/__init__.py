"""`teacher fit`, `finetune` and `distill`: plan, prepare, train with one seed or more, commit."""
