"""Training: the loops of `fit`, `evaluate` and `predict`, and what feeds them."""
