"""Training speed: deepneuron against PyTorch, JAX, Keras and scikit-learn.

python -m benchmarks.compare --help
"""
