"""The engine: tensors, operations, graphs, gradients, plans.

It knows no operation by sight, only by its registered name.
"""
