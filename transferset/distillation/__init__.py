"""The distiller: what is trained on at each step, and what is learnt from it."""
