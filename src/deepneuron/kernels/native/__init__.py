"""Native kernels: C++ behind the same operations, a whole step in one call."""
