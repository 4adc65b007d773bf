"""What the random tests draw: layers, losses, metrics and optimizers as plain data.

A Part says `layers.Dense(units=3)` without a library; `make(k, part)` makes it in k.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

import numpy as np
from hypothesis import strategies as st


@dataclass(frozen=True)
class Part:
    """The call `path(**arguments)`, in either library."""

    path: str
    arguments: dict[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        inside = ", ".join(f"{name}={x!r}" for name, x in self.arguments.items())
        return f"{self.path}({inside})"


def make(k: Any, x: Any) -> Any:
    """x, with every Part in it made in library k."""
    if isinstance(x, Part):
        return reduce(getattr, x.path.split("."), k)(**make(k, x.arguments))
    if isinstance(x, dict):
        return {name: make(k, value) for name, value in x.items()}
    if isinstance(x, list):
        return [make(k, value) for value in x]
    return x


def part(_path: str, _always: dict[str, Any] | None = None, **maybe: Any) -> Any:
    """Parts with the arguments of `_always`, and any of the others."""
    always = {n: s if isinstance(s, st.SearchStrategy) else st.just(s)
              for n, s in (_always or {}).items()}  # fmt: skip
    drawn = st.fixed_dictionaries(always, optional=maybe)
    return drawn.map(lambda arguments: Part(_path, arguments))


def numbers(low: float, high: float) -> Any:
    """Numbers of few digits, which float32 holds and which print well."""
    return st.floats(low, high).map(lambda x: round(x, 4))


# --- what layers are made of

# Without sparsemax, whose values do not sum to 1 in Keras; ours is the paper's.
ACTIVATIONS = [
    "celu", "elu", "exponential", "gelu", "hard_shrink", "hard_sigmoid", "hard_silu",
    "hard_tanh", "leaky_relu", "linear", "log_sigmoid", "log_softmax", "mish", "relu",
    "relu6", "selu", "sigmoid", "silu", "soft_shrink", "softmax", "softplus",
    "softsign", "sparse_plus", "sparse_sigmoid", "squareplus", "swish",
    "tanh", "tanh_shrink",
]  # fmt: skip

activations = st.sampled_from(ACTIVATIONS)
flags = st.booleans()
small = st.integers(1, 3)
pairs = st.one_of(small, st.tuples(small, small))
formats = st.sampled_from(["channels_last", "channels_first"])

initializers = st.one_of(
    st.sampled_from(
        ["zeros", "ones", "glorot_uniform", "he_normal", "lecun_uniform", "orthogonal",
         "random_normal", "truncated_normal", "HeUniform", "GlorotNormal"]
    ),
    part("initializers.RandomUniform", minval=numbers(-1, 0), maxval=numbers(0.1, 1)),
    part("initializers.TruncatedNormal", stddev=numbers(0.01, 1), seed=st.just(3)),
    part("initializers.Constant", value=numbers(-1, 1)),
    part("initializers.VarianceScaling", scale=numbers(0.1, 2),
         mode=st.sampled_from(["fan_in", "fan_out", "fan_avg"]),
         distribution=st.sampled_from(["uniform", "truncated_normal",
                                       "untruncated_normal"])),
    part("initializers.Orthogonal", gain=numbers(0.1, 2)),
)  # fmt: skip
regularizers = st.one_of(
    st.sampled_from(["l1", "l2", "L1L2", "L2"]),
    part("regularizers.L1", l1=numbers(0, 0.1)),
    part("regularizers.L2", l2=numbers(0, 0.1)),
    part("regularizers.L1L2", l1=numbers(0, 0.1), l2=numbers(0, 0.1)),
)
constraints = st.one_of(
    st.sampled_from(["non_neg", "max_norm", "unit_norm", "min_max_norm"]),
    part("constraints.MaxNorm", max_value=numbers(0.1, 2), axis=st.sampled_from([0])),
    part("constraints.UnitNorm", axis=st.just(0)),
    part("constraints.MinMaxNorm", min_value=numbers(0, 0.5), rate=numbers(0.1, 1)),
)


def weights_of(kernel: str = "kernel") -> dict[str, Any]:
    """The arguments that layers with a kernel share."""
    return {
        "activation": activations,
        "use_bias": flags,
        f"{kernel}_initializer": initializers,
        "bias_initializer": st.sampled_from(["zeros", "ones", "random_normal"]),
        f"{kernel}_regularizer": regularizers,
        "bias_regularizer": regularizers,
        "activity_regularizer": regularizers,
        f"{kernel}_constraint": constraints,
        "bias_constraint": constraints,
        "trainable": st.just(False),
    }


def conv(rank: int) -> dict[str, Any]:
    sizes = pairs if rank == 2 else small
    return {
        "strides": sizes,
        "padding": st.sampled_from(["valid", "same"] + ["causal"] * (rank == 1)),
        "dilation_rate": sizes,
        "groups": st.sampled_from([1, 1, 2]),
        **({"data_format": formats} if rank == 2 else {}),
        **weights_of(),
    }


def depthwise(rank: int) -> dict[str, Any]:
    same = {**conv(rank), **weights_of("depthwise")}
    return {
        **{k: v for k, v in same.items() if k != "groups" and "kernel_" not in k},
        "padding": st.sampled_from(["valid", "same"]),
        "depth_multiplier": st.integers(1, 2),
    }


def pooling(rank: int = 2) -> dict[str, Any]:
    return {
        "strides": st.one_of(st.none(), pairs),
        "padding": st.sampled_from(["valid", "same"]),
        "data_format": formats,
    }


# --- layers, by the number of axes of their input

ANY = [
    part("layers.Activation", {"activation": activations}),
    part("layers.LeakyReLU", negative_slope=numbers(0, 0.9)),
    part("layers.ELU", alpha=numbers(0.1, 2)),
    part("layers.ReLU", max_value=numbers(0.5, 3), negative_slope=numbers(0, 0.5),
         threshold=numbers(0, 0.5)),
    part("layers.PReLU", alpha_initializer=initializers, alpha_regularizer=regularizers,
         alpha_constraint=constraints,
         shared_axes=st.sampled_from([[1], (1,), [1, 2]])),
    part("layers.Softmax", axis=st.sampled_from([-1, 1])),
    part("layers.Dropout", {"rate": 0.0}),
    part("layers.GaussianNoise", {"stddev": 0.0}),
    part("layers.Identity"),
    part("layers.Flatten", data_format=formats),
    part("layers.Rescaling", {"scale": numbers(-2, 2)}, offset=numbers(-1, 1)),
    part("layers.Dense", {"units": st.integers(1, 5)}, **weights_of()),
    part("layers.BatchNormalization", axis=st.sampled_from([-1, 1]),
         momentum=numbers(0, 1), epsilon=numbers(1e-3, 0.1), center=flags, scale=flags,
         beta_initializer=initializers.filter(lambda x: "rthogonal" not in repr(x)),
         gamma_regularizer=regularizers, beta_constraint=st.just("non_neg"),
         trainable=st.just(False)),
    part("layers.LayerNormalization",
         axis=st.sampled_from([-1, 1, [-1], [1, 2], [-2, -1]]),
         epsilon=numbers(1e-3, 0.1), center=flags, scale=flags,
         gamma_regularizer=regularizers, beta_constraint=st.just("non_neg")),
]  # fmt: skip
ROWS = [part("layers.RepeatVector", {"n": small})]
SERIES = [
    part("layers.Conv1D", {"filters": st.integers(1, 4), "kernel_size": small},
         **conv(1)),
    part("layers.DepthwiseConv1D", {"kernel_size": small}, **depthwise(1)),
    part("layers.SeparableConv1D", {"filters": st.integers(1, 4), "kernel_size": small},
         **depthwise(1)),
]  # fmt: skip
padding = st.one_of(
    st.integers(0, 2),
    st.tuples(st.integers(0, 2), st.integers(0, 2)),
    st.tuples(st.tuples(small, st.just(0)), st.tuples(st.just(0), st.integers(0, 1))),
)
PICTURES = [
    part("layers.Conv2D", {"filters": st.integers(1, 4), "kernel_size": pairs},
         **conv(2)),
    part("layers.Conv2D", {"filters": st.sampled_from([2, 4]), "kernel_size": pairs},
         padding=st.just("same"), activation=activations),
    part("layers.DepthwiseConv2D", {"kernel_size": pairs}, **depthwise(2)),
    part("layers.SeparableConv2D", {"filters": st.integers(1, 4), "kernel_size": pairs},
         **depthwise(2)),
    part("layers.MaxPooling2D", pool_size=pairs, **pooling()),
    part("layers.AveragePooling2D", pool_size=pairs, **pooling()),
    part("layers.GlobalAveragePooling2D", keepdims=flags, data_format=formats),
    part("layers.GlobalMaxPooling2D", keepdims=flags, data_format=formats),
    part("layers.ZeroPadding2D", padding=padding, data_format=formats),
    part("layers.Cropping2D", cropping=padding, data_format=formats),
    part("layers.UpSampling2D", size=pairs, data_format=formats),
]  # fmt: skip
MERGES = ["Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum"]


@st.composite
def reshapes(draw: Any, shape: tuple[int | None, ...]) -> Part:
    """Permute or Reshape; now and then one that does not fit."""
    if draw(flags):
        dims = draw(st.permutations(range(1, max(2, len(shape)))))
        return Part("layers.Permute", {"dims": tuple(dims)})
    size = int(np.prod([n or 1 for n in shape[1:]]))
    divisor = draw(st.sampled_from([d for d in range(1, size + 1) if size % d == 0]))
    rest = size // divisor
    targets = [
        (size,), (divisor, rest), (-1, divisor), (divisor, 1, rest), (1, -1, divisor),
        (size + 1,), (-1,),
    ]  # fmt: skip
    if None in shape[1:]:
        targets = [(-1,), (-1, divisor)]
    return Part("layers.Reshape", {"target_shape": draw(st.sampled_from(targets))})


def layers_for(shape: tuple[int | None, ...]) -> Any:
    """Layers that may stand behind a tensor of this shape (not all of them fit)."""
    by_rank = {2: ROWS * 2, 3: SERIES * 5, 4: PICTURES * 2}
    return st.one_of(*ANY, *by_rank.get(len(shape), []), reshapes(shape))


# --- heads: a last layer, targets, and the losses and metrics that fit them

reductions = {
    "reduction": st.sampled_from(
        ["sum", "sum_over_batch_size", "mean", "mean_with_sample_weight"]
    )
}


def loss(name: str, **arguments: Any) -> Any:
    return part(f"losses.{name}", **reductions, **arguments)


def metric(name: str, **arguments: Any) -> Any:
    return part(f"metrics.{name}", **arguments)


@dataclass(frozen=True)
class Head:
    """A kind of problem: which outputs, targets, losses and metrics belong together."""

    activations: list[str]
    targets: Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]
    losses: list[Any]
    metrics: list[Any]
    units: tuple[int, int] = (1, 4)


def real(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.normal(size=shape).astype("float32")


def positive(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.uniform(0.2, 3, shape).astype("float32")


def zero_one(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.integers(0, 2, shape).astype("float32")


def signs(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return 2 * zero_one(rng, shape) - 1


def classes(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.integers(0, shape[-1], shape[:-1]).astype("int32")


def class_column(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return classes(rng, shape)[..., None]


def one_hot(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return np.eye(shape[-1], dtype="float32")[classes(rng, shape)]


smoothing = numbers(0, 0.5)
axes = st.sampled_from([-1, 1])
regression_losses = [
    "mse", "mae", "huber", "log_cosh", "cosine_similarity", "mean_squared_error",
    loss("MeanSquaredError"), loss("MeanAbsoluteError"),
    loss("Huber", delta=numbers(0.1, 2)), loss("LogCosh"),
    loss("CosineSimilarity", axis=axes),
]  # fmt: skip
regression_metrics = [
    "mse", "mae", "mape", "cosine_similarity",
    metric("MeanSquaredError"), metric("RootMeanSquaredError"),
    metric("MeanAbsoluteError"), metric("LogCoshError"), metric("R2Score",
        class_aggregation=st.sampled_from(["uniform_average",
                                           "variance_weighted_average"])),
    metric("CosineSimilarity", axis=axes), metric("MeanSquaredLogarithmicError"),
]  # fmt: skip
points = st.one_of(
    numbers(0, 1), st.sampled_from([[0.0, 0.5, 1.0], [0.25, 0.75], [0.5]])
)
binary_metrics = [
    "accuracy", "acc", "binary_accuracy", metric("BinaryAccuracy",
                                                 threshold=numbers(0.1, 0.9)),
    metric("Precision", thresholds=points), metric("Recall", thresholds=points),
    metric("TruePositives", thresholds=points), metric("TrueNegatives"),
    metric("FalsePositives"), metric("FalseNegatives", thresholds=points),
    metric("AUC", num_thresholds=st.integers(2, 50),
           curve=st.sampled_from(["ROC", "PR"]),
           summation_method=st.sampled_from(["interpolation", "minoring",
                                             "majoring"])),
    metric("BinaryCrossentropy", label_smoothing=smoothing),
    metric("FBetaScore", average=st.sampled_from([None, "micro", "macro", "weighted"]),
           beta=numbers(0.5, 2), threshold=numbers(0.1, 0.9)),
]  # fmt: skip
top = {"k": st.integers(1, 3)}
one_hot_metrics = [
    "accuracy", "categorical_accuracy", "top_k_categorical_accuracy",
    metric("CategoricalAccuracy"), metric("TopKCategoricalAccuracy", **top),
    metric("CategoricalCrossentropy", label_smoothing=smoothing),
    metric("KLDivergence"), metric("F1Score",
                                   average=st.sampled_from([None, "macro"])),
    metric("Precision", class_id=st.sampled_from([0, 1]), top_k=st.integers(1, 2)),
    metric("CategoricalHinge"), part("metrics.AUC", {"num_thresholds": 20},
                                       multi_label=flags),
]  # fmt: skip
sparse_metrics = [
    "accuracy", "acc", "sparse_categorical_accuracy",
    metric("SparseCategoricalAccuracy"),
    metric("SparseTopKCategoricalAccuracy", **top),
    metric("SparseCategoricalCrossentropy"),
]  # fmt: skip
focal = {"alpha": numbers(0.1, 0.9), "gamma": numbers(0.5, 3),
         "label_smoothing": smoothing}  # fmt: skip
logits = {"from_logits": True}

HEADS = {
    "real": Head(["linear", "tanh", "elu"], real, regression_losses,
                 regression_metrics),
    "positive": Head(
        ["softplus", "sigmoid", "softmax"], positive,
        ["mape", "msle", "poisson", "kl_divergence", loss("Poisson"),
         loss("MeanAbsolutePercentageError"), loss("MeanSquaredLogarithmicError"),
         loss("KLDivergence")],
        [*regression_metrics, "poisson", "msle", metric("Poisson"),
         metric("MeanAbsolutePercentageError")]),
    "signs": Head(
        ["tanh", "linear"], signs,
        ["hinge", "squared_hinge", loss("Hinge"), loss("SquaredHinge")],
        [metric("Hinge"), metric("SquaredHinge"), "hinge", "mse"]),
    "bits of hinges": Head(["tanh"], zero_one, [loss("Hinge"), loss("SquaredHinge")],
                           [metric("Hinge")]),
    "binary": Head(
        ["sigmoid"], zero_one,
        ["binary_crossentropy", "bce", "crossentropy", loss("BinaryCrossentropy",
                                            label_smoothing=smoothing),
         loss("BinaryFocalCrossentropy", apply_class_balancing=flags, **focal)],
        binary_metrics),
    "binary logits": Head(
        ["linear"], zero_one,
        [part("losses.BinaryCrossentropy", logits, label_smoothing=smoothing,
              **reductions),
         part("losses.BinaryFocalCrossentropy", logits,
              apply_class_balancing=flags, **focal)],
        ["accuracy", part("metrics.BinaryCrossentropy", logits),
         metric("BinaryAccuracy", threshold=st.just(0.0))]),
    "one hot": Head(
        ["softmax"], one_hot,
        ["categorical_crossentropy", "categorical_focal_crossentropy", "crossentropy",
         loss("CategoricalCrossentropy", label_smoothing=smoothing),
         loss("CategoricalFocalCrossentropy", **focal), loss("CategoricalHinge"),
         loss("KLDivergence"), loss("MeanSquaredError")],
        one_hot_metrics, (2, 4)),
    "one hot logits": Head(
        ["linear", "tanh"], one_hot,
        [part("losses.CategoricalCrossentropy", logits, label_smoothing=smoothing,
              **reductions),
         part("losses.CategoricalFocalCrossentropy", logits, **focal)],
        ["accuracy", metric("CategoricalAccuracy"),
         part("metrics.CategoricalCrossentropy", logits)], (2, 4)),
    "classes": Head(
        ["softmax"], classes,
        ["sparse_categorical_crossentropy", "ce", loss("SparseCategoricalCrossentropy"),
         loss("SparseCategoricalCrossentropy", ignore_class=st.just(0))],
        sparse_metrics, (2, 4)),
    "class logits": Head(
        ["linear"], class_column,
        [part("losses.SparseCategoricalCrossentropy", logits, **reductions),
         part("losses.SparseCategoricalCrossentropy", logits, ignore_class=st.just(1))],
        ["accuracy", part("metrics.SparseCategoricalCrossentropy", logits)], (2, 4)),
}  # fmt: skip


def one_of(choices: list[Any]) -> Any:
    """One of the names and strategies in a list."""
    return st.one_of([c if isinstance(c, st.SearchStrategy) else st.just(c)
                      for c in choices])  # fmt: skip


# --- optimizers

_S = "optimizers.schedules."
schedules = st.one_of(
    part(_S + "ExponentialDecay", {"initial_learning_rate": numbers(0.01, 0.1),
         "decay_steps": small, "decay_rate": numbers(0.3, 1)}, staircase=flags),
    part(_S + "PiecewiseConstantDecay", {"boundaries": [1, 3],
         "values": [0.1, 0.03, 0.01]}),
    # Compiled, Keras's 1 - 3 / 3 may be below 0, whose root is NaN: no roots.
    part(_S + "PolynomialDecay", {"initial_learning_rate": numbers(0.01, 0.1),
         "decay_steps": small}, end_learning_rate=numbers(0, 0.01),
         power=st.sampled_from([1.0, 2.0]), cycle=flags),
    part(_S + "InverseTimeDecay", {"initial_learning_rate": numbers(0.01, 0.1),
         "decay_steps": small, "decay_rate": numbers(0.3, 1)}, staircase=flags),
    part(_S + "CosineDecay", {"initial_learning_rate": numbers(0.01, 0.1),
         "decay_steps": small}, alpha=numbers(0, 0.5), warmup_steps=st.just(2),
         warmup_target=numbers(0.1, 0.2)),
    # At a restart with t_mul a logarithm is rounded down that is nearly a whole number:
    # Keras compiled and Keras uncompiled differ there. So none falls into the test.
    part(_S + "CosineDecayRestarts", {"initial_learning_rate": numbers(0.01, 0.1),
         "first_decay_steps": small}, m_mul=numbers(0.5, 1), alpha=numbers(0, 0.3),
         t_mul=st.just(1.0)),
    part(_S + "CosineDecayRestarts", {"initial_learning_rate": numbers(0.01, 0.1),
         "first_decay_steps": 20}, t_mul=numbers(1.1, 2), alpha=numbers(0, 0.3)),
)  # fmt: skip
epsilons = {"epsilon": numbers(1e-4, 0.1)}
betas = {"beta_1": numbers(0, 0.95), "beta_2": numbers(0.5, 0.999)}
OPTIMIZERS: dict[str, dict[str, Any]] = {
    "SGD": {"momentum": numbers(0, 0.95), "nesterov": flags},
    "RMSprop": {"rho": numbers(0.5, 0.99), "momentum": numbers(0, 0.9),
                "centered": flags, **epsilons},
    "Adam": {**betas, **epsilons, "amsgrad": flags},
    "AdamW": {**betas, **epsilons, "amsgrad": flags},
    "Adamax": {**betas, **epsilons},
    "Nadam": {**betas, **epsilons},
    "Adagrad": {"initial_accumulator_value": numbers(0.01, 1), **epsilons},
    "Adadelta": {"rho": numbers(0.5, 0.99), **epsilons},
    "Lion": {"beta_1": numbers(0.1, 0.95), "beta_2": numbers(0.5, 0.99)},
}  # fmt: skip


@st.composite
def optimizers(draw: Any, names: tuple[str, ...] = tuple(OPTIMIZERS)) -> Part:
    """Optimizers with any settings."""
    name = draw(st.sampled_from(names))
    rates = st.one_of(numbers(0.001, 0.1), schedules)
    common = {
        "weight_decay": numbers(0, 0.1),
        "use_ema": flags,
        "ema_momentum": numbers(0.5, 0.99),
        "ema_overwrite_frequency": st.sampled_from([None, 2]),
        "gradient_accumulation_steps": st.sampled_from([None, 2, 3]),
        "loss_scale_factor": st.just(8.0),
    }
    clips = ["clipnorm", "clipvalue", "global_clipnorm"]
    clip = draw(st.sampled_from([None, *clips]))
    if clip:
        common[clip] = numbers(0.01, 1)
    return draw(
        part(f"optimizers.{name}", {"learning_rate": rates}, **OPTIMIZERS[name],
             **common)
    )  # fmt: skip
