"""Embedding: every whole number gets a vector of its own."""

from __future__ import annotations

from typing import Any

from deepneuron import constraints, initializers, ops, regularizers
from deepneuron.layers.arguments import positive, refuse
from deepneuron.layers.layer import Layer
from deepneuron.serialization import keras_class, serialize


@keras_class("keras.layers")
class Embedding(Layer):
    """y[b, i] = embeddings[x[b, i]]

    Shapes: x (batch, ...) holds whole numbers from 0 to input_dim - 1; y is
    (batch, ..., output_dim), embeddings (input_dim, output_dim).

    Args:
        input_dim: how many numbers there are (the largest plus 1).
        output_dim: the length of the vectors.
        embeddings_initializer: their first values.
        embeddings_regularizer: a penalty on them.
        embeddings_constraint: applied to them after each update.
        mask_zero: whether 0 stands for "nothing here"; `compute_mask` then says where.
        weights: the embeddings themselves, or a list that holds them.
        lora_rank, lora_alpha, quantization_config: only None.

    >>> import numpy as np
    >>> from deepneuron import layers
    >>> layers.Embedding(10, 4)(np.array([[1, 2, 3]])).shape
    (1, 3, 4)
    """

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        weights: Any = None,
        lora_rank: int | None = None,
        lora_alpha: float | None = None,
        quantization_config: Any = None,
        **kwargs: Any,
    ) -> None:
        kwargs.pop("input_length", None)  # in older tutorials; it has no effect
        super().__init__(**kwargs)
        refuse(
            "Embedding",
            lora_rank=lora_rank,
            lora_alpha=lora_alpha,
            quantization_config=quantization_config,
        )
        self.input_dim = positive(input_dim, "input_dim")
        self.output_dim = positive(output_dim, "output_dim")
        self.embeddings_initializer = initializers.get(embeddings_initializer)
        self.embeddings_regularizer = regularizers.get(embeddings_regularizer)
        self.embeddings_constraint = constraints.get(embeddings_constraint)
        self.mask_zero = mask_zero
        self.supports_masking = mask_zero
        self.quantization_config = None
        if weights is not None:
            self.build()
            self.set_weights(weights if isinstance(weights, list) else [weights])

    def build(self, input_shape: Any = None) -> None:
        if self.built:
            return
        self.embeddings = self.add_weight(
            (self.input_dim, self.output_dim),
            self.embeddings_initializer,
            regularizer=self.embeddings_regularizer,
            constraint=self.embeddings_constraint,
            name="embeddings",
        )

    def call(self, inputs: Any) -> Any:
        if inputs.dtype not in ("int32", "int64"):
            inputs = ops.cast(inputs, "int32")
        return ops.take(self.embeddings, inputs, axis=0)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """True where x is not 0, if `mask_zero`."""
        return ops.not_equal(inputs, 0) if self.mask_zero else None

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (*input_shape, self.output_dim)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "input_dim": self.input_dim,
            "output_dim": self.output_dim,
            "embeddings_initializer": serialize(self.embeddings_initializer),
            "embeddings_regularizer": serialize(self.embeddings_regularizer),
            "activity_regularizer": serialize(self.activity_regularizer),
            "embeddings_constraint": serialize(self.embeddings_constraint),
            "mask_zero": self.mask_zero,
            "quantization_config": self.quantization_config,
        }
