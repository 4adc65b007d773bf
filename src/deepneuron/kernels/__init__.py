"""Kernel sets beside the NumPy default, and the choice among them."""
