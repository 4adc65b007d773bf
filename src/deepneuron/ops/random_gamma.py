"""Gamma, beta and binomial numbers: drawn in float64, by rejection and by halving."""

from __future__ import annotations

import numpy as np

from deepneuron.engine.dtypes import is_float, standardize_dtype
from deepneuron.engine.op import Case, Op, Spec, op
from deepneuron.errors import DTypeError
from deepneuron.ops.random_bits import KEY, normals, philox, positive_unit, unit
from deepneuron.ops.seed_generator import draw_key

_FEW = 16  # tosses that are counted one by one


def _log_gammas(stream, alpha):
    """log g of the shape of alpha, with g ~ Gamma(alpha, 1)

    The logarithm, because for a small alpha g itself is often too small for a number.

    Source: Marsaglia and Tsang, "A simple method for generating gamma variables", 2000.
    """
    u = positive_unit(stream, alpha.size, "float64").reshape(alpha.shape)
    below = alpha < 1  # g(alpha) is g(alpha + 1) u^(1 / alpha)
    boost = np.where(below, np.log(u) / alpha, 0)
    d = (alpha + below - 1 / 3).reshape(-1)
    log_v = np.empty_like(d)
    left = np.arange(d.size)
    while left.size:
        z = normals(stream, left.size, "float64")
        u = positive_unit(stream, left.size, "float64")
        v = (1 + z / np.sqrt(9 * d[left])) ** 3
        log_v[left] = np.log(np.maximum(v, 1e-300))
        bound = z * z / 2 + d[left] * (1 - v + log_v[left])
        left = left[(v <= 0) | (np.log(u) >= bound)]
    return np.log(d).reshape(alpha.shape) + log_v.reshape(alpha.shape) + boost


def _betas(stream, a, b):
    """x ~ Beta(a, b), as g / (g + h) of two gamma numbers"""
    g, h = _log_gammas(stream, a), _log_gammas(stream, b)
    return 1 / (1 + np.exp(h - g))


def _binomials(stream, n, p):
    """How many of n tosses come up, each with probability p

    The i-th smallest of n uniform numbers is Beta(i, n + 1 - i); where it lies relative
    to p decides about half of the tosses at once.

    Source: Relles, "A simple algorithm for generating binomial random variables when N
    is large", 1972.
    """
    n, p, up = n.astype(np.int64), p.copy(), np.zeros(n.shape, np.int64)
    while True:
        many = np.flatnonzero(n > _FEW)
        if not many.size:
            break
        i = (n[many] + 1) // 2
        split = _betas(stream, i.astype(float), (n[many] + 1 - i).astype(float))
        low = split <= p[many]
        up[many] += np.where(low, i, 0)
        n[many] = np.where(low, n[many] - i, i - 1)
        p[many] = np.where(low, (p[many] - split) / (1 - split), p[many] / split)
    tosses = unit(stream, n.size * _FEW, "float64").reshape(-1, _FEW)
    counted = np.arange(_FEW) < n[:, None]
    return up + ((tosses < p[:, None]) & counted).sum(axis=1)


class _Drawn(Op):
    """Numbers with the parameters a (and b), broadcast to a shape"""

    differentiable = False

    def infer(self, key, *parameters, shape, dtype="float32"):
        return Spec(tuple(shape), dtype)

    @staticmethod
    def _fill(rule, key, parameters, shape, dtype, out):
        out = np.empty(shape, dtype) if out is None else out
        flat = (np.broadcast_to(p, shape).astype(float).ravel() for p in parameters)
        out[...] = rule(philox(key), *flat).reshape(shape)
        return out


@op
class random_gamma(_Drawn):
    """y ~ Gamma(alpha, 1)"""

    cases = (Case(KEY, np.array([0.5, 1.0, 9.0]), shape=(2, 3)),)

    def forward(self, key, alpha, /, shape, dtype="float32", out=None):
        def rule(stream, alpha):
            return np.exp(_log_gammas(stream, alpha))

        return self._fill(rule, key, [alpha], shape, dtype, out)


@op
class random_beta(_Drawn):
    """y ~ Beta(alpha, beta)"""

    cases = (Case(KEY, np.array([0.5, 1.0, 9.0]), np.array(2.0), shape=(2, 3)),)

    def forward(self, key, alpha, beta, /, shape, dtype="float32", out=None):
        return self._fill(_betas, key, [alpha, beta], shape, dtype, out)


@op
class random_binomial(_Drawn):
    """y ~ B(counts, p)"""

    cases = (Case(KEY, np.array([5.0, 100.0]), np.array(0.3), shape=(3, 2)),)

    def forward(self, key, counts, p, /, shape, dtype="float32", out=None):
        return self._fill(_binomials, key, [counts, p], shape, dtype, out)


def gamma(shape, alpha, dtype=None, seed=None):
    """y ~ Gamma(alpha, 1): of density y^(alpha - 1) exp(-y) / Gamma(alpha)

    Args:
        shape: of y.
        alpha: positive numbers, broadcast to the shape; the mean of y.
        dtype: a float type; `floatx()` by default.
        seed: a whole number, for the same values at every call; a SeedGenerator, for
            new ones; None for the global one.

    Returns:
        Random numbers of that shape.

    >>> import deepneuron as dn
    >>> bool(abs(dn.random.gamma((10000,), 3.0, seed=1).mean() - 3) < 0.1)
    True
    """
    key, dtype = draw_key(seed), _float_type("gamma", dtype)
    return random_gamma(key, _parameter(alpha, dtype), shape=tuple(shape), dtype=dtype)


def beta(shape, alpha, beta, dtype=None, seed=None):
    """y ~ Beta(alpha, beta): of a density like y^(alpha - 1) (1 - y)^(beta - 1)

    Args:
        shape: of y.
        alpha: positive numbers, broadcast to the shape.
        beta: likewise; the mean of y is alpha / (alpha + beta).
        dtype: a float type; `floatx()` by default.
        seed: as in `gamma`.

    >>> import deepneuron as dn
    >>> bool(abs(dn.random.beta((10000,), 1.0, 3.0, seed=1).mean() - 0.25) < 0.01)
    True
    """
    key, dtype = draw_key(seed), _float_type("beta", dtype)
    alpha, beta = _parameter(alpha, dtype), _parameter(beta, dtype)
    return random_beta(key, alpha, beta, shape=tuple(shape), dtype=dtype)


def binomial(shape, counts, probabilities, dtype=None, seed=None):
    """y ~ B(counts, p): how many of `counts` tosses come up

    Args:
        shape: of y.
        counts: how many tosses, broadcast to the shape.
        probabilities: that one comes up, broadcast to the shape.
        dtype: a float type; `floatx()` by default.
        seed: as in `gamma`.

    >>> import deepneuron as dn
    >>> bool(abs(dn.random.binomial((10000,), 100, 0.3, seed=1).mean() - 30) < 0.3)
    True
    """
    key, dtype = draw_key(seed), _float_type("binomial", dtype)
    counts, p = _parameter(counts, "float64"), _parameter(probabilities, dtype)
    return random_binomial(key, counts, p, shape=tuple(shape), dtype=dtype)


def _parameter(x, dtype):
    """Numbers in y's type at once, so that eager and planned draws are the same."""
    return x if hasattr(x, "dtype") else np.asarray(x, dtype)


def _float_type(name, dtype):
    dtype = standardize_dtype(dtype)
    if not is_float(dtype):
        raise DTypeError(f"{name} draws float numbers; received dtype={dtype!r}.")
    return dtype
