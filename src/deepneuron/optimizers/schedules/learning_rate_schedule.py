"""What every schedule is: a function from the step to the learning rate."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from deepneuron import ops, serialization
from deepneuron.errors import ArgumentError


class LearningRateSchedule:
    """learning rate = schedule(step); subclasses write `__call__` with `ops`.

    >>> class Halving(LearningRateSchedule):
    ...     def __call__(self, step):
    ...         return 0.5 ** ops.cast(step, "float32")
    >>> float(Halving()(2))
    0.25
    """

    arguments: ClassVar[tuple[str, ...]] = ()  # those that get_config returns

    def __call__(self, step: Any) -> Any:
        """The learning rate at this step.

        Args:
            step: how many steps were taken before.
        """
        raise NotImplementedError(f"{type(self).__name__} must write __call__(step).")

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal schedule."""
        if not self.arguments:
            raise NotImplementedError(
                f"{type(self).__name__} must write get_config() to be saved."
            )
        return {name: getattr(self, name) for name in self.arguments}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """The schedule that `get_config` described."""
        return cls(**config)


def positive(value: Any, name: str) -> Any:
    """A number of steps that a quotient may have below its line."""
    if not value > 0:
        raise ArgumentError(f"{name} must be greater than 0; received {value!r}.")
    return value


def start(learning_rate: Any, step: Any) -> tuple[Any, Any]:
    """The initial learning rate as a tensor, and the step in its type."""
    rate = ops.convert_to_tensor(learning_rate)
    return rate, ops.cast(step, rate.dtype)


def serialize(learning_rate_schedule: Any) -> Any:
    """The configuration of a schedule, as plain data."""
    return serialization.serialize(learning_rate_schedule)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The schedule of a configuration.

    Args:
        config: what `serialize` returned.
        custom_objects: names of your own classes.
    """
    if isinstance(config, dict):
        config = {"module": "keras.optimizers.schedules", **config}
    return serialization.deserialize(config, custom_objects)
