"""Random numbers: y = f(key), and the same key gives the same y, wherever it is drawn.

Nothing here has a hidden state. A draw is an operation like others, on a key of two
numbers: a seed, and the counter of a `SeedGenerator`, which grows from draw to draw; so
values do not depend on what else is drawn, in which thread or order.
"""

from __future__ import annotations

import numpy as np

from deepneuron.engine.dtypes import is_float, result_type, standardize_dtype
from deepneuron.engine.op import Case, Op, Spec, op
from deepneuron.errors import ArgumentError, DTypeError, ShapeError
from deepneuron.ops.random_bits import (
    KEY,
    Draw,
    bits,
    in_pieces,
    normals,
    philox,
    unit,
)
from deepneuron.ops.random_gamma import beta, binomial, gamma
from deepneuron.ops.seed_generator import (
    SeedGenerator,
    draw_key,
    global_seed_generator,
    set_global_seed,
)
from deepneuron.ops.types import cast, convert_to_tensor

# --- of a given shape


@op
class random_uniform(Draw):
    """y ~ U[low, high)"""

    cases = (Case(KEY, shape=(3, 5)), Case(KEY, shape=(7,), low=-1.0, high=2.0))

    def forward(self, key, /, shape, dtype="float32", low=0.0, high=1.0, out=None):
        out = np.empty(shape, dtype) if out is None else out
        plain = (low, high) == (0.0, 1.0) and dtype != "float16"
        largest = np.nextafter(out.dtype.type(high), out.dtype.type(low))

        def rule(stream, n):
            u = unit(stream, n, dtype)
            if plain:
                return u
            u = (u * (high - low) + low).astype(dtype, copy=False)
            # Rounding may have reached the upper end, which does not belong to it.
            return np.minimum(u, largest, out=u) if low < high else u

        return in_pieces(rule, key, out)


@op
class random_normal(Draw):
    """y ~ N(mean, stddev^2)"""

    cases = (Case(KEY, shape=(3, 5)), Case(KEY, shape=(7,), mean=1.0, stddev=2.0))

    def forward(self, key, /, shape, dtype="float32", mean=0.0, stddev=1.0, out=None):
        out = np.empty(shape, dtype) if out is None else out
        return in_pieces(
            lambda stream, n: normals(stream, n, dtype) * stddev + mean, key, out
        )


@op
class random_truncated_normal(Draw):
    """y ~ N(mean, stddev^2), drawn again where it is further than 2 stddev from mean"""

    cases = (Case(KEY, shape=(3, 5)), Case(KEY, shape=(7,), mean=1.0, stddev=2.0))

    def forward(self, key, /, shape, dtype="float32", mean=0.0, stddev=1.0, out=None):
        def rule(stream, n):
            z = normals(stream, n, dtype)
            far = np.flatnonzero(np.abs(z) > 2)
            while far.size:
                z[far] = normals(stream, far.size, dtype)
                far = far[np.abs(z[far]) > 2]
            return z * stddev + mean

        return in_pieces(rule, key, np.empty(shape, dtype) if out is None else out)


@op
class random_integers(Draw):
    """y, every whole number of [low, high) with the same probability"""

    cases = (Case(KEY, shape=(3, 5), dtype="int32", low=-2, high=9),)

    def forward(self, key, /, shape, dtype="int32", low=0, high=1, out=None):
        span = np.uint64(high - low)

        def rule(stream, n):
            # 64 bits: the remainder favours small numbers by less than span / 2^64.
            return (stream.random_raw(n) % span).astype(np.int64) + low

        return in_pieces(rule, key, np.empty(shape, dtype) if out is None else out)


# --- of the shape of another array


@op
class dropout_mask(Op):
    """y = 0 with probability `rate`, else 1 / (1 - rate); only the shape of x counts

    `shape` is that of the mask where it is another one; -1 in it is the size of x.
    """

    differentiable = False
    cases = (
        Case(KEY, (3, 5), rate=0.4),
        Case(KEY, (3, 5), rate=0.4, shape=(-1, 1)),
        Case(KEY, (3, 5), rate=1.0),
    )

    def infer(self, key, x, /, rate, shape=None):
        return Spec(_mask_shape(x.shape, shape), x.dtype)

    def forward(self, key, x, /, rate, shape=None, out=None):
        out = np.empty(_mask_shape(x.shape, shape), x.dtype) if out is None else out
        scale = out.dtype.type(1 / (1 - rate) if rate < 1 else 0)
        dropped = round(rate * 2**32)  # so many of the 2^32 possible values
        return in_pieces(
            lambda stream, n: (bits(stream, n) >= dropped) * scale, key, out
        )


def _mask_shape(shape, wanted):
    shape = tuple(shape)
    if wanted is None:
        return shape
    if len(wanted) > len(shape):
        raise ShapeError(
            f"dropout: noise_shape {wanted} has more axes than the input {shape}."
        )
    last = shape[len(shape) - len(wanted) :]
    return tuple(n if m == -1 else m for n, m in zip(last, wanted, strict=True))


@op
class random_categorical(Op):
    """y ~ softmax(logits), `samples` classes for every row of logits

    key, logits: (batch, classes) -> (batch, samples)
    """

    differentiable = False
    cases = (Case(KEY, (3, 5), samples=4),)

    def infer(self, key, logits, /, samples, dtype="int32"):
        return Spec((logits.shape[0], samples), dtype)

    def forward(self, key, logits, /, samples, dtype="int32", out=None):
        out = np.empty((len(logits), samples), dtype) if out is None else out
        stream = philox(key)
        for row, chosen in zip(logits.astype("float64"), out, strict=True):
            total = np.cumsum(np.exp(row - row.max()))  # (classes,)
            u = unit(stream, samples, "float64") * total[-1]
            chosen[...] = np.searchsorted(total, u, side="right")
        return out


@op
class random_shuffle(Op):
    """y = x in a random order along an axis; `back` undoes it"""

    cases = (Case(KEY, (5, 2)), Case(KEY, (2, 5), axis=1, back=True))

    def infer(self, key, x, /, axis=0, back=False):
        return Spec(tuple(x.shape), x.dtype)

    def forward(self, key, x, /, axis=0, back=False, out=None):
        order = np.argsort(philox(key).random_raw(x.shape[axis]), kind="stable")
        if back:
            order = np.argsort(order)
        return np.take(x, order, axis=axis, out=out, mode="clip")

    def gradient(self, node, dy):
        key, _ = node.inputs
        axis, back = node.attrs["axis"], node.attrs["back"]
        return None, random_shuffle(key, dy, axis=axis, back=not back)


# --- the names of keras.random


def normal(shape, mean=0.0, stddev=1.0, dtype=None, seed=None):
    """y ~ N(mean, stddev^2)

    Args:
        shape: of y.
        mean: where the bell stands.
        stddev: how wide it is.
        dtype: a float type; `floatx()` by default.
        seed: a whole number, for the same values at every call; a SeedGenerator, for
            new ones; None for the global one.

    Returns:
        Random numbers of that shape.

    Raises:
        DTypeError: the type has no fractions.

    >>> import deepneuron as dn
    >>> y = dn.random.normal((1000,), mean=5.0, stddev=2.0, seed=1)
    >>> bool(abs(y.mean() - 5) < 0.2), bool(abs(y.std() - 2) < 0.2)
    (True, True)
    """
    key, shape, dtype = draw_key(seed), tuple(shape), _float_type("normal", dtype)
    if _numbers(mean, stddev):
        return random_normal(
            key, shape=shape, dtype=dtype, mean=float(mean), stddev=float(stddev)
        )
    z = random_normal(key, shape=shape, dtype=dtype)
    return z * cast(stddev, dtype) + cast(mean, dtype)


def uniform(shape, minval=0.0, maxval=1.0, dtype=None, seed=None):
    """y ~ U[minval, maxval)

    Args:
        shape: of y.
        minval: where the interval begins.
        maxval: where it ends; this end is excluded.
        dtype: a float type (`floatx()` by default), or one of whole numbers.
        seed: as in `normal`.

    Returns:
        Random numbers of that shape.

    >>> import deepneuron as dn
    >>> y = dn.random.uniform((1000,), minval=-1.0, seed=1)
    >>> bool(-1 <= y.min()), bool(y.max() < 1)
    (True, True)
    """
    dtype = standardize_dtype(dtype)
    if not is_float(dtype):
        return randint(shape, minval, maxval, dtype=dtype, seed=seed)
    key, shape = draw_key(seed), tuple(shape)
    if _numbers(minval, maxval):
        return random_uniform(
            key, shape=shape, dtype=dtype, low=float(minval), high=float(maxval)
        )
    minval, maxval = cast(minval, dtype), cast(maxval, dtype)
    return random_uniform(key, shape=shape, dtype=dtype) * (maxval - minval) + minval


def truncated_normal(shape, mean=0.0, stddev=1.0, dtype=None, seed=None):
    """y ~ N(mean, stddev^2), drawn again where it is further than 2 stddev from mean

    Args:
        shape: of y.
        mean: where the bell stands.
        stddev: of the whole bell; what is left of it has 0.88 of that.
        dtype: a float type; `floatx()` by default.
        seed: as in `normal`.

    >>> import deepneuron as dn
    >>> bool(abs(dn.random.truncated_normal((1000,), seed=1)).max() <= 2)
    True
    """
    key, shape = draw_key(seed), tuple(shape)
    dtype = _float_type("truncated_normal", dtype)
    if _numbers(mean, stddev):
        return random_truncated_normal(
            key, shape=shape, dtype=dtype, mean=float(mean), stddev=float(stddev)
        )
    z = random_truncated_normal(key, shape=shape, dtype=dtype)
    return z * cast(stddev, dtype) + cast(mean, dtype)


def randint(shape, minval, maxval, dtype="int32", seed=None):
    """y, every whole number of [minval, maxval) with the same probability

    Args:
        shape: of y.
        minval: the smallest number.
        maxval: the largest one plus 1.
        dtype: of y.
        seed: as in `normal`.

    Raises:
        ArgumentError: there is no number between them.

    >>> import deepneuron as dn
    >>> sorted(set(dn.random.randint((100,), 1, 4, seed=1).tolist()))
    [1, 2, 3]
    """
    low, high = int(minval), int(maxval)
    if low >= high:
        raise ArgumentError(
            "randint draws whole numbers from minval to maxval - 1, so minval must be "
            f"the smaller one; received minval={minval} and maxval={maxval}."
        )
    return random_integers(
        draw_key(seed),
        shape=tuple(shape),
        dtype=standardize_dtype(dtype),
        low=low,
        high=high,
    )


def dropout(inputs, rate, noise_shape=None, seed=None):
    """y = x * mask, mask being 0 with probability `rate` and else 1 / (1 - rate)

    Args:
        inputs: any shape.
        rate: the part that is dropped, from 0 to 1.
        noise_shape: the shape of the mask, broadcast to x; None within it is the size
            of x.
        seed: as in `normal`.

    >>> import numpy as np, deepneuron as dn
    >>> np.unique(dn.random.dropout(np.ones((50, 2), "float32"), 0.5, seed=1))
    array([0., 2.], dtype=float32)
    """
    x = convert_to_tensor(inputs)
    if not is_float(x.dtype):
        x = cast(x, result_type(x.dtype, float))
    if rate == 0:
        return x
    shape = noise_shape and tuple(-1 if n is None else int(n) for n in noise_shape)
    return x * dropout_mask(draw_key(seed), x, rate=float(rate), shape=shape)


def shuffle(x, axis=0, seed=None):
    """y = x in a random order along an axis

    Args:
        x: any shape.
        axis: whose order it is.
        seed: as in `normal`.

    >>> import numpy as np, deepneuron as dn
    >>> y = dn.random.shuffle(np.arange(5), seed=1)
    >>> sorted(y.tolist())
    [0, 1, 2, 3, 4]
    """
    return random_shuffle(draw_key(seed), convert_to_tensor(x), axis=int(axis))


def categorical(logits, num_samples, dtype="int32", seed=None):
    """y ~ softmax(logits): classes, each as likely as its logit says

    Args:
        logits: (batch, classes), logarithms of probabilities that need not sum to 1.
        num_samples: how many for each row.
        dtype: of y.
        seed: as in `normal`.

    Returns:
        (batch, num_samples), numbers of classes.

    Raises:
        ShapeError: the logits have another number of axes.

    >>> import deepneuron as dn
    >>> dn.random.categorical([[-50.0, 0.0], [0.0, -50.0]], 3, seed=1)
    array([[1, 1, 1],
           [0, 0, 0]], dtype=int32)
    """
    logits = convert_to_tensor(logits)
    if len(logits.shape) != 2:
        raise ShapeError(
            "categorical: logits have the shape (batch, classes); received "
            f"{tuple(logits.shape)}."
        )
    return random_categorical(
        draw_key(seed), logits, samples=int(num_samples), dtype=standardize_dtype(dtype)
    )


def _numbers(*values):
    return all(isinstance(v, (int, float, np.number)) for v in values)


def _float_type(name, dtype):
    dtype = standardize_dtype(dtype)
    if not is_float(dtype):
        raise DTypeError(f"{name} draws float numbers; received dtype={dtype!r}.")
    return dtype


__all__ = [
    "SeedGenerator",
    "beta",
    "binomial",
    "categorical",
    "dropout",
    "gamma",
    "global_seed_generator",
    "normal",
    "randint",
    "set_global_seed",
    "shuffle",
    "truncated_normal",
    "uniform",
]
