"""The updates of optimizers: one operation takes a variable one step down its gradient.

    w    the variable                g     its gradient
    rate the learning rate           m, v  what the optimizer remembers (its slots)
    w'   the variable afterwards     decay = rate * weight_decay, which shrinks w

Every rule walks its arrays in chunks that stay in the cache, so that each value is read
from memory once and written once, however many terms its formula has.
"""

from __future__ import annotations

from functools import partial, wraps

import numpy as np

from deepneuron.engine.op import Case, Op, Spec, op
from deepneuron.engine.threads import share
from deepneuron.engine.workspace import scratch

# Values. Adam's six arrays of them fit into a third-level cache; of fewer, the calls
# themselves take their time, and threads wait for each other to make them.
CHUNK = 1 << 17


def on_threads(forward):
    """A rule that works on slices of a large variable, each on some thread."""

    @wraps(forward)
    def sliced(self, variable, /, *others, out=None, **attrs):
        arrays, size = (variable, *others), np.size(variable)
        outs = self.outputs(variable, out)
        together = all(
            np.ndim(a) == 0 or a.flags.c_contiguous for a in (*arrays, *outs)
        )
        if size < 2 * CHUNK or not together:
            return forward(
                self, *arrays, out=outs if len(outs) > 1 else outs[0], **attrs
            )
        flat = [np.reshape(a, -1) if np.ndim(a) else a for a in arrays]
        flat_outs = [y.reshape(-1) for y in outs]

        def work(some):
            forward(
                self,
                *(a[some] if np.ndim(a) else a for a in flat),
                out=tuple(y[some] for y in flat_outs),
                **attrs,
            )

        share(work, [slice(i, i + CHUNK) for i in range(0, size, CHUNK)])
        return outs if len(outs) > 1 else outs[0]

    return sliced


class Update(Op):
    """w', m', ... = rule(w, g, m, ..., and numbers that all variables share)

    The outputs are as large as the variable, and there is one for each entry of
    `inplace`, which says whose memory it takes over.
    """

    pointwise = True
    differentiable = False

    def infer(self, variable, /, *others, **attrs):
        spec = Spec(variable.shape, variable.dtype)
        return spec if len(self.inplace) == 1 else (spec,) * len(self.inplace)

    def bind(self, *arrays, out, **attrs):
        outs = self.outputs(arrays[0], out)
        every = (*arrays, *outs)
        if outs[0].size > CHUNK or not all(a.flags.c_contiguous for a in every):
            return super().bind(*arrays, out=out, **attrs)
        rule = type(self).forward.__wrapped__
        flat = [a.reshape(-1) if a.ndim else a for a in arrays]
        return partial(
            rule, self, *flat, **attrs, out=tuple(y.reshape(-1) for y in outs)
        )

    def outputs(self, variable, out):
        """The arrays to write to, as a tuple."""
        if out is None:
            shape, dtype = np.shape(variable), variable.dtype
            return tuple(np.empty(shape, dtype) for _ in self.inplace)
        return out if isinstance(out, tuple) else (out,)


def _cases(arrays, numbers, high=0.9, **attrs):
    """Cases of a rule with so many arrays, and so many numbers behind them."""
    return tuple(
        Case(*[shape] * arrays, *[()] * numbers, between=(0.1, high), **attrs, **more)
        for shape, more in (
            ((2, 3), {}),
            ((), {}),
            ((5,), {"weight_decay": 0.1}),
            ((CHUNK + 7,), {}),
        )
    )


def _chunks(inputs, outputs, spares):
    """Flat pieces of all arrays, and as many spare pieces as the rule asks for."""
    flat = [a if a.ndim == 1 else a.reshape(-1) for a in (*inputs, *outputs)]
    own = flat[len(inputs) :]
    size, dtype = flat[-1].size, flat[-1].dtype
    spare = [scratch((min(size, CHUNK),), dtype) for _ in range(spares)]
    if size <= CHUNK:
        yield (*flat, *spare)
    else:
        for start in range(0, size, CHUNK):
            stop = min(start + CHUNK, size)
            yield (
                *(a[start:stop] for a in flat),
                *(a[: stop - start] for a in spare),
            )
    for y, flat_y in zip(outputs, own, strict=True):
        if not y.flags.c_contiguous:  # flat_y may be a copy
            y[...] = flat_y.reshape(y.shape)


def _decayed(w, decay, w2, spare):
    """w - decay * w, written to w2; w itself where there is no decay."""
    if not decay:
        return w
    np.multiply(w, decay, out=spare)
    return np.subtract(w, spare, out=w2)


def _follow(x, target, share, x2, spare):
    """x' = x + share (target - x): the moving average goes a share of the way."""
    np.subtract(target, x, out=spare)
    np.multiply(spare, share, out=spare)
    np.add(x, spare, out=x2)


def _average(x, target, rho, x2, spare):
    """x' = rho x + (1 - rho) target: the same in exact arithmetic, not in floats."""
    np.multiply(target, 1 - rho, out=spare)
    np.multiply(x, rho, out=x2)
    np.add(x2, spare, out=x2)


# --- gradient descent


@op
class sgd_update(Update):
    """w' = w - decay w - rate g"""

    inplace = {0: (0,)}
    cases = _cases(2, 1)

    @on_threads
    def forward(self, variable, gradient, rate, /, weight_decay=0.0, out=None):
        out = self.outputs(variable, out)
        decay = rate * weight_decay
        for w, g, w2, a in _chunks((variable, gradient), out, 1):
            start = _decayed(w, decay, w2, a)
            np.multiply(g, rate, out=a)
            np.subtract(start, a, out=w2)
        return out[0]


@op
class momentum_update(Update):
    """m' = momentum m - rate g
    w' = w - decay w + m',  with Nesterov  w - decay w + momentum m' - rate g
    """

    inplace = {0: (0,), 1: (2,)}
    cases = (*_cases(3, 1), *_cases(3, 1, nesterov=True))

    @on_threads
    def forward(
        self, variable, gradient, moment, rate, /,
        momentum=0.9, nesterov=False, weight_decay=0.0, out=None,
    ):  # fmt: skip
        out = self.outputs(variable, out)
        decay = rate * weight_decay
        arrays = variable, gradient, moment
        for w, g, m, w2, m2, a, b in _chunks(arrays, out, 2):
            start = _decayed(w, decay, w2, a)
            np.multiply(g, rate, out=a)
            np.multiply(m, momentum, out=m2)
            np.subtract(m2, a, out=m2)
            step = m2
            if nesterov:
                np.multiply(m2, momentum, out=b)
                step = np.subtract(b, a, out=b)
            np.add(start, step, out=w2)
        return out


# --- a step size for every weight, from the squares of its gradients


@op
class adagrad_update(Update):
    """v' = v + g^2
    w' = w - decay w - rate g / sqrt(v' + epsilon)
    """

    inplace = {0: (0,), 1: (2,)}
    cases = _cases(3, 1)

    @on_threads
    def forward(
        self, variable, gradient, accumulator, rate, /,
        epsilon=1e-7, weight_decay=0.0, out=None,
    ):  # fmt: skip
        out = self.outputs(variable, out)
        decay = rate * weight_decay
        arrays = variable, gradient, accumulator
        for w, g, v, w2, v2, a, b in _chunks(arrays, out, 2):
            start = _decayed(w, decay, w2, a)
            np.square(g, out=a)
            np.add(v, a, out=v2)
            _rms_step(g, v2, rate, epsilon, a, b)
            np.subtract(start, a, out=w2)
        return out


def _rms_step(g, v, rate, epsilon, step, spare):
    """step = rate g / sqrt(v + epsilon); v may be the spare memory itself"""
    np.add(v, epsilon, out=spare)
    np.sqrt(spare, out=spare)
    np.multiply(g, rate, out=step)
    np.divide(step, spare, out=step)


@op
class adadelta_update(Update):
    """v' = rho v + (1 - rho) g^2,  s = g sqrt(d + epsilon) / sqrt(v' + epsilon)
    d' = rho d + (1 - rho) s^2,  w' = w - decay w - rate s
    """

    inplace = {0: (0,), 1: (2,), 2: (3,)}
    cases = _cases(4, 1)

    @on_threads
    def forward(
        self, variable, gradient, accumulated_gradient, accumulated_delta, rate, /,
        rho=0.95, epsilon=1e-7, weight_decay=0.0, out=None,
    ):  # fmt: skip
        out = self.outputs(variable, out)
        decay = rate * weight_decay
        arrays = variable, gradient, accumulated_gradient, accumulated_delta
        for w, g, v, d, w2, v2, d2, s, a in _chunks(arrays, out, 2):
            start = _decayed(w, decay, w2, s)
            np.square(g, out=s)
            _average(v, s, rho, v2, s)
            np.add(d, epsilon, out=s)
            np.sqrt(s, out=s)
            np.multiply(s, g, out=s)
            np.add(v2, epsilon, out=a)
            np.sqrt(a, out=a)
            np.divide(s, a, out=s)
            np.square(s, out=a)
            _average(d, a, rho, d2, a)
            np.multiply(s, rate, out=s)
            np.subtract(start, s, out=w2)
        return out


@op
class rmsprop_update(Update):
    """v' = rho v + (1 - rho) g^2
    w' = w - decay w - rate g / sqrt(v' + epsilon)
    """

    inplace = {0: (0,), 1: (2,)}
    cases = _cases(3, 1)

    @on_threads
    def forward(
        self, variable, gradient, velocity, rate, /,
        rho=0.9, epsilon=1e-7, weight_decay=0.0, out=None,
    ):  # fmt: skip
        out = self.outputs(variable, out)
        decay = rate * weight_decay
        arrays = variable, gradient, velocity
        for w, g, v, w2, v2, a, b in _chunks(arrays, out, 2):
            start = _decayed(w, decay, w2, a)
            np.square(g, out=a)
            _average(v, a, rho, v2, a)
            _rms_step(g, v2, rate, epsilon, a, b)
            np.subtract(start, a, out=w2)
        return out


@op
class rmsprop_momentum_update(Update):
    """v' = rho v + (1 - rho) g^2
    m' = momentum m + rate g / sqrt(v' + epsilon),  w' = w - decay w - m'
    """

    inplace = {0: (0,), 1: (2,), 2: (3,)}
    cases = _cases(4, 1)

    @on_threads
    def forward(
        self, variable, gradient, velocity, moment, rate, /,
        rho=0.9, momentum=0.9, epsilon=1e-7, weight_decay=0.0, out=None,
    ):  # fmt: skip
        out = self.outputs(variable, out)
        decay = rate * weight_decay
        arrays = variable, gradient, velocity, moment
        for w, g, v, m, w2, v2, m2, a, b in _chunks(arrays, out, 2):
            start = _decayed(w, decay, w2, a)
            np.square(g, out=a)
            _average(v, a, rho, v2, a)
            _rms_step(g, v2, rate, epsilon, a, b)
            np.multiply(m, momentum, out=m2)
            np.add(m2, a, out=m2)
            np.subtract(start, m2, out=w2)
        return out


@op
class centered_rmsprop_update(Update):
    """v' = rho v + (1 - rho) g^2,  c' = rho c + (1 - rho) g
    w' = w - decay w - rate g / sqrt(v' - c'^2 + epsilon)
    """

    inplace = {0: (0,), 1: (2,), 2: (3,)}
    cases = _cases(4, 1, high=0.3)  # the variance stays positive

    @on_threads
    def forward(
        self, variable, gradient, velocity, average, rate, /,
        rho=0.9, epsilon=1e-7, weight_decay=0.0, out=None,
    ):  # fmt: skip
        out = self.outputs(variable, out)
        decay = rate * weight_decay
        arrays = variable, gradient, velocity, average
        for w, g, v, c, w2, v2, c2, a, b in _chunks(arrays, out, 2):
            start = _decayed(w, decay, w2, a)
            np.square(g, out=a)
            _average(v, a, rho, v2, a)
            _average(c, g, rho, c2, a)
            _variance(v2, c2, b)
            _rms_step(g, b, rate, epsilon, a, b)
            np.subtract(start, a, out=w2)
        return out


def _variance(square, mean, variance):
    """E[(g - E g)^2] = E[g^2] - (E g)^2"""
    np.square(mean, out=variance)
    np.subtract(square, variance, out=variance)


@op
class centered_rmsprop_momentum_update(Update):
    """v' = rho v + (1 - rho) g^2,  c' = rho c + (1 - rho) g
    m' = momentum m + rate g / sqrt(v' - c'^2 + epsilon),  w' = w - decay w - m'
    """

    inplace = {0: (0,), 1: (2,), 2: (3,), 3: (4,)}
    cases = _cases(5, 1, high=0.3)  # the variance stays positive

    @on_threads
    def forward(
        self, variable, gradient, velocity, average, moment, rate, /,
        rho=0.9, momentum=0.9, epsilon=1e-7, weight_decay=0.0, out=None,
    ):  # fmt: skip
        out = self.outputs(variable, out)
        decay = rate * weight_decay
        arrays = variable, gradient, velocity, average, moment
        for w, g, v, c, m, w2, v2, c2, m2, a, b in _chunks(arrays, out, 2):
            start = _decayed(w, decay, w2, a)
            np.square(g, out=a)
            _average(v, a, rho, v2, a)
            _average(c, g, rho, c2, a)
            _variance(v2, c2, b)
            _rms_step(g, b, rate, epsilon, a, b)
            np.multiply(m, momentum, out=m2)
            np.add(m2, a, out=m2)
            np.subtract(start, m2, out=w2)
        return out


# --- Adam and its family: averages of the gradients and of their squares


@op
class adam_step_size(Op):
    """step = rate sqrt(1 - beta_2^t) / (1 - beta_1^t),  t = iterations + 1

    The averages begin at zero, and this makes up for it.
    """

    differentiable = False
    cases = (Case(np.array(0, "int32"), ()), Case(np.array(9, "int32"), ()))

    def infer(self, iterations, rate, /, beta_1=0.9, beta_2=0.999):
        return Spec((), rate.dtype)

    def forward(self, iterations, rate, /, beta_1=0.9, beta_2=0.999, out=None):
        number = rate.dtype.type
        t = number(iterations + 1)
        step = rate * np.sqrt(1 - number(beta_2) ** t) / (1 - number(beta_1) ** t)
        if out is None:
            return np.asarray(step, rate.dtype)
        out[...] = step
        return out


@op
class adam_update(Update):
    """m' = m + (1 - beta_1) (g - m),  v' = v + (1 - beta_2) (g^2 - v)
    w' = w - decay w - step m' / (sqrt(v') + epsilon)
    """

    inplace = {0: (0,), 1: (2,), 2: (3,)}
    cases = _cases(4, 2)

    @on_threads
    def forward(
        self, variable, gradient, momentum, velocity, rate, step, /,
        beta_1=0.9, beta_2=0.999, epsilon=1e-7, weight_decay=0.0, out=None,
    ):  # fmt: skip
        out = self.outputs(variable, out)
        decay = rate * weight_decay
        arrays = variable, gradient, momentum, velocity
        for w, g, m, v, w2, m2, v2, a, b in _chunks(arrays, out, 2):
            start = _decayed(w, decay, w2, a)
            np.square(g, out=b)
            _follow(m, g, 1 - beta_1, m2, a)
            _follow(v, b, 1 - beta_2, v2, b)
            _adam_step(m2, v2, step, epsilon, a, b)
            np.subtract(start, a, out=w2)
        return out


def _adam_step(m, v, size, epsilon, step, spare):
    """step = size m / (sqrt(v) + epsilon)"""
    np.sqrt(v, out=spare)
    np.add(spare, epsilon, out=spare)
    np.multiply(m, size, out=step)
    np.divide(step, spare, out=step)


@op
class amsgrad_update(Update):
    """m', v' as in Adam,  u' = max(u, v')
    w' = w - decay w - step m' / (sqrt(u') + epsilon)
    """

    inplace = {0: (0,), 1: (2,), 2: (3,), 3: (4,)}
    cases = _cases(5, 2)

    @on_threads
    def forward(
        self, variable, gradient, momentum, velocity, largest, rate, step, /,
        beta_1=0.9, beta_2=0.999, epsilon=1e-7, weight_decay=0.0, out=None,
    ):  # fmt: skip
        out = self.outputs(variable, out)
        decay = rate * weight_decay
        arrays = variable, gradient, momentum, velocity, largest
        for w, g, m, v, u, w2, m2, v2, u2, a, b in _chunks(arrays, out, 2):
            start = _decayed(w, decay, w2, a)
            np.square(g, out=b)
            _follow(m, g, 1 - beta_1, m2, a)
            _follow(v, b, 1 - beta_2, v2, b)
            np.maximum(u, v2, out=u2)
            _adam_step(m2, u2, step, epsilon, a, b)
            np.subtract(start, a, out=w2)
        return out


@op
class adamax_update(Update):
    """m' = m + (1 - beta_1) (g - m),  u' = max(beta_2 u, |g|)
    w' = w - decay w - step m' / (u' + epsilon)
    """

    inplace = {0: (0,), 1: (2,), 2: (3,)}
    cases = _cases(4, 2)

    @on_threads
    def forward(
        self, variable, gradient, momentum, norm, rate, step, /,
        beta_1=0.9, beta_2=0.999, epsilon=1e-7, weight_decay=0.0, out=None,
    ):  # fmt: skip
        out = self.outputs(variable, out)
        decay = rate * weight_decay
        arrays = variable, gradient, momentum, norm
        for w, g, m, u, w2, m2, u2, a, b in _chunks(arrays, out, 2):
            start = _decayed(w, decay, w2, a)
            _follow(m, g, 1 - beta_1, m2, a)
            np.abs(g, out=b)
            np.multiply(u, beta_2, out=u2)
            np.maximum(u2, b, out=u2)
            np.add(u2, epsilon, out=b)
            np.multiply(m2, step, out=a)
            np.divide(a, b, out=a)
            np.subtract(start, a, out=w2)
        return out


@op
class nadam_update(Update):
    """m', v' as in Adam
    w' = w - decay w - rate (a m' + b g) / (sqrt(v' / c) + epsilon)

    a, b: how much of the step is the momentum of the next step, and how much the
        gradient. c: what makes up for the average that began at zero.
    """

    inplace = {0: (0,), 1: (2,), 2: (3,)}
    cases = _cases(4, 4)

    @on_threads
    def forward(
        self, variable, gradient, momentum, velocity, rate, a, b, c, /,
        beta_1=0.9, beta_2=0.999, epsilon=1e-7, weight_decay=0.0, out=None,
    ):  # fmt: skip
        out = self.outputs(variable, out)
        decay = rate * weight_decay
        number = variable.dtype.type  # Keras rounds the betas before it uses them
        beta_1, beta_2 = number(beta_1), number(beta_2)
        arrays = variable, gradient, momentum, velocity
        for w, g, m, v, w2, m2, v2, s, root in _chunks(arrays, out, 2):
            start = _decayed(w, decay, w2, s)
            np.square(g, out=root)
            _follow(m, g, 1 - beta_1, m2, s)
            _follow(v, root, 1 - beta_2, v2, root)
            np.multiply(m2, a, out=s)
            np.multiply(g, b, out=root)
            np.add(s, root, out=s)
            np.multiply(s, rate, out=s)
            np.divide(v2, c, out=root)
            np.sqrt(root, out=root)
            np.add(root, epsilon, out=root)
            np.divide(s, root, out=s)
            np.subtract(start, s, out=w2)
        return out


@op
class lion_update(Update):
    """w' = w - decay w - rate sign(beta_1 m + (1 - beta_1) g)
    m' = beta_2 m + (1 - beta_2) g
    """

    inplace = {0: (0,), 1: (2,)}
    cases = _cases(3, 1)

    @on_threads
    def forward(
        self, variable, gradient, momentum, rate, /,
        beta_1=0.9, beta_2=0.99, weight_decay=0.0, out=None,
    ):  # fmt: skip
        out = self.outputs(variable, out)
        decay = rate * weight_decay
        number = variable.dtype.type  # Keras rounds the betas before it uses them
        beta_1, beta_2 = number(beta_1), number(beta_2)
        arrays = variable, gradient, momentum
        for w, g, m, w2, m2, a, b in _chunks(arrays, out, 2):
            start = _decayed(w, decay, w2, a)
            _average(m, g, beta_1, a, b)
            np.sign(a, out=a)
            np.multiply(a, rate, out=a)
            _average(m, g, beta_2, m2, b)
            np.subtract(start, a, out=w2)
        return out


# --- the average of a variable itself


@op
class moving_average(Op):
    """y = momentum average + (1 - momentum) x;  momentum is a number"""

    pointwise = True
    differentiable = False
    inplace = {0: (0,)}
    cases = (Case((2, 3), (2, 3), (), between=(0.1, 0.9)),)

    def infer(self, average, x, momentum, /):
        return Spec(average.shape, average.dtype)

    def forward(self, average, x, momentum, /, out=None):
        out = np.empty(np.shape(average), average.dtype) if out is None else out
        for mean, value, y, a in _chunks((average, x), (out,), 1):
            np.multiply(value, 1 - momentum, out=a)
            np.multiply(mean, momentum, out=y)
            np.add(y, a, out=y)
        return out
