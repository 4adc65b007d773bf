"""BatchNormalization: every channel gets mean 0 and variance 1 over the batch."""

from __future__ import annotations

from typing import Any

from deepneuron import constraints, initializers, ops, regularizers
from deepneuron.engine.config import epsilon as backend_epsilon
from deepneuron.engine.dtypes import result_type
from deepneuron.errors import ShapeError
from deepneuron.layers.arguments import known_size, refuse
from deepneuron.layers.input_spec import InputSpec
from deepneuron.layers.layer import Layer
from deepneuron.serialization import keras_class, serialize


@keras_class("keras.layers")
class BatchNormalization(Layer):
    """y = gamma * (x - mean) / sqrt(variance + epsilon) + beta, channel by channel

    While training, mean and variance are those of the batch (the variance is divided by
    n, not by n - 1), and the moving statistics follow:

        moving = momentum * moving + (1 - momentum) * statistic of the batch

    Outside of training, and while `trainable` is False, y is computed with the moving
    statistics, which then stay as they are.

    Shapes: y as x; gamma, beta, moving_mean and moving_variance have (channels,).

    Args:
        axis: of the channels; the last by default.
        momentum: how slowly the moving statistics follow.
        epsilon: keeps the root away from 0.
        center, scale: whether there is a beta, and a gamma.
        beta_initializer, gamma_initializer: their first values.
        moving_mean_initializer, moving_variance_initializer: those of the statistics.
        beta_regularizer, gamma_regularizer: penalties on the weights.
        beta_constraint, gamma_constraint: applied to them after each update.
        renorm, synchronized: only False.
        renorm_clipping, renorm_momentum: kept for Keras's files; without effect.

    Call arguments:
        training: whether to normalise with the batch, and let the statistics move.
        mask: (batch, ...) without the axis of the channels; only positions with True
            count in the statistics.

    Source:
        Ioffe and Szegedy, "Batch normalization", arXiv:1502.03167.

    >>> import numpy as np
    >>> from deepneuron import layers
    >>> layer = layers.BatchNormalization(epsilon=0.0)
    >>> layer(np.array([[1.0], [3.0]], "float32"), training=True)
    array([[-1.],
           [ 1.]], dtype=float32)
    >>> layer.moving_mean.numpy()
    array([0.02], dtype=float32)
    """

    def __init__(
        self,
        axis: int = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        renorm: bool = False,
        renorm_clipping: Any = None,
        renorm_momentum: float = 0.99,
        synchronized: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        refuse("BatchNormalization", renorm=renorm, synchronized=synchronized)
        self.axis = int(axis)
        self.momentum = float(momentum)
        self.epsilon = float(epsilon)
        self.center = center
        self.scale = scale
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)
        self.beta_constraint = constraints.get(beta_constraint)
        self.gamma_constraint = constraints.get(gamma_constraint)
        self.renorm_clipping = renorm_clipping
        self.renorm_momentum = renorm_momentum
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        channels = known_size(self._called(), input_shape, self.axis)
        self.gamma = self.beta = None
        if self.scale:
            self.gamma = self.add_weight(
                (channels,),
                self.gamma_initializer,
                regularizer=self.gamma_regularizer,
                constraint=self.gamma_constraint,
                name="gamma",
            )
        if self.center:
            self.beta = self.add_weight(
                (channels,),
                self.beta_initializer,
                regularizer=self.beta_regularizer,
                constraint=self.beta_constraint,
                name="beta",
            )
        self.moving_mean = self.add_weight(
            (channels,),
            self.moving_mean_initializer,
            trainable=False,
            name="moving_mean",
        )
        self.moving_variance = self.add_weight(
            (channels,),
            self.moving_variance_initializer,
            trainable=False,
            name="moving_variance",
        )
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: channels})

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        # Half floats are too coarse for statistics.
        x = ops.convert_to_tensor(inputs, result_type(inputs.dtype, "float32"))
        affine = {
            "axis": self.axis,
            "offset": self.beta,
            "scale": self.gamma,
            "epsilon": self.epsilon,
        }
        if not (training and self.trainable):
            y = ops.batch_normalization(
                x, self.moving_mean, self.moving_variance, **affine
            )
        elif mask is None:
            y, mean, variance = ops.batch_normalization_in_training(x, **affine)
            self._follow(self.moving_mean, mean)
            self._follow(self.moving_variance, variance)
        else:
            mean, variance = self._masked_moments(x, mask)
            self._follow(self.moving_mean, mean)
            self._follow(self.moving_variance, variance)
            y = ops.batch_normalization(x, mean, variance, **affine)
        return ops.convert_to_tensor(y, self.compute_dtype)

    def _follow(self, moving: Any, statistic: Any) -> None:
        old, new = self.momentum, 1.0 - self.momentum
        moving.assign(moving * old + ops.stop_gradient(statistic) * new)

    def _masked_moments(self, x: Any, mask: Any) -> tuple[Any, Any]:
        """Mean and variance of every channel over the positions that count."""
        ndim = len(x.shape)
        axes = tuple(axis for axis in range(ndim) if axis != self.axis % ndim)
        if len(mask.shape) != ndim - 1:
            raise ShapeError(
                f"{self._called()}: the mask has the axes of the input but the last; "
                f"received a mask of shape {tuple(mask.shape)} for an input of shape "
                f"{tuple(x.shape)}."
            )
        counts = ops.cast(ops.expand_dims(mask, -1), "bool")
        along = {"axis": axes, "keepdims": True}
        ones = ops.cast(ops.broadcast_to(counts, x.shape), x.dtype)
        total = ops.sum(ones, **along) + backend_epsilon()
        mean = ops.sum(ops.where(counts, x, 0.0), **along) / total
        deviation = ops.where(counts, x - mean, 0.0)
        variance = ops.sum(ops.square(deviation), **along) / total
        return ops.squeeze(mean, axes), ops.squeeze(variance, axes)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "axis": self.axis,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
            "center": self.center,
            "scale": self.scale,
            "beta_initializer": serialize(self.beta_initializer),
            "gamma_initializer": serialize(self.gamma_initializer),
            "moving_mean_initializer": serialize(self.moving_mean_initializer),
            "moving_variance_initializer": serialize(self.moving_variance_initializer),
            "beta_regularizer": serialize(self.beta_regularizer),
            "gamma_regularizer": serialize(self.gamma_regularizer),
            "beta_constraint": serialize(self.beta_constraint),
            "gamma_constraint": serialize(self.gamma_constraint),
            "synchronized": False,
            "renorm": False,
            "renorm_clipping": self.renorm_clipping,
            "renorm_momentum": self.renorm_momentum,
        }
