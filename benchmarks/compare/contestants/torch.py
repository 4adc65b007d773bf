"""PyTorch as its tutorials write it, and with what its tuning guide recommends.

The variants, each of which is measured by itself and with others:

* fused: the optimizer's fused implementation;
* channels_last: pictures and weights in that memory format;
* compile: `torch.compile` of the forward pass and the loss;
* bf16: `torch.autocast` to bfloat16, which is less exact.
"""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from benchmarks.compare.cases import LEARNING_RATE, Task
from benchmarks.compare.network import (
    BatchNorm,
    Conv,
    Dense,
    DepthwiseConv,
    Flatten,
    GlobalAveragePool,
    MaxPool,
    Network,
    Part,
    ReLU,
    Residual,
    Shape,
    output_shape,
)


class TorchLearner:
    def __init__(self, task: Task, variant: tuple[str, ...]) -> None:
        case = task.case
        self.batch, self.variant = case.batch, variant
        self.format = (
            torch.channels_last
            if "channels_last" in variant
            else torch.contiguous_format
        )
        weighted: list[tuple[nn.Module, Part]] = []
        self.model = _network(case.network, case.shape, weighted)
        for (module, part), own in zip(weighted, task.weights, strict=True):
            _set_weights(module, part, own)
        _flatten_channels_first(case.network, case.shape, weighted)
        self.model.to(memory_format=self.format)  # type: ignore[call-overload]

        rate, fused = LEARNING_RATE[case.optimizer], "fused" in variant
        self.optimizer: torch.optim.Optimizer = (
            torch.optim.Adam(self.model.parameters(), rate, eps=1e-7, fused=fused)
            if case.optimizer == "adam"
            else torch.optim.SGD(self.model.parameters(), rate, fused=fused)
        )
        mean_loss = (
            functional.mse_loss if case.loss == "mse" else functional.cross_entropy
        )

        def loss_of(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
            return mean_loss(self.model(x), y)

        compiled = "compile" in variant
        self.loss_of = torch.compile(loss_of, dynamic=False) if compiled else loss_of
        self.forward = (
            torch.compile(self.model, dynamic=False) if compiled else self.model
        )

    def _autocast(self) -> contextlib.AbstractContextManager[Any]:
        if "bf16" in self.variant:
            return torch.autocast("cpu", torch.bfloat16)
        return contextlib.nullcontext()

    def ready(self, x: np.ndarray, y: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        tensor = torch.from_numpy(x)
        if tensor.ndim == 4:  # (batch, channels, height, width)
            tensor = tensor.permute(0, 3, 1, 2).contiguous(memory_format=self.format)
        return tensor, torch.from_numpy(y)

    def fit(self, x: torch.Tensor, y: torch.Tensor) -> float:
        self.model.train()
        for i in range(0, len(x), self.batch):
            self.optimizer.zero_grad()
            with self._autocast():
                loss = self.loss_of(x[i : i + self.batch], y[i : i + self.batch])
            loss.backward()
            self.optimizer.step()
        return loss.item()

    def predict(self, x: torch.Tensor) -> np.ndarray:
        self.model.eval()
        with torch.inference_mode(), self._autocast():
            return self.forward(x).float().numpy()


class Sum(nn.Module):  # type: ignore[misc]  # PyTorch's types are not read
    """relu(body(x) + shortcut(x))"""

    def __init__(self, body: nn.Module, shortcut: nn.Module) -> None:
        super().__init__()
        self.body, self.shortcut = body, shortcut

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return functional.relu(self.body(x) + self.shortcut(x))


def _network(
    parts: Network, shape: Shape, weighted: list[tuple[nn.Module, Part]]
) -> nn.Sequential:
    modules: list[nn.Module] = []
    for part in parts:
        modules += _modules(part, shape, weighted)
        shape = output_shape(part, shape)
    return nn.Sequential(*modules)


def _modules(
    part: Part, shape: Shape, weighted: list[tuple[nn.Module, Part]]
) -> list[nn.Module]:
    if isinstance(part, Residual):
        body = _network(part.body, shape, weighted)
        return [Sum(body, _network(part.shortcut, shape, weighted))]
    modules: list[nn.Module] = []
    match part:
        case Dense():
            modules = [nn.Linear(shape[-1], part.units)]
        case Conv() | DepthwiseConv():
            modules = _convolution(part, shape)
        case BatchNorm():
            momentum = 1 - part.momentum  # PyTorch's is the share of the new value
            modules = [nn.BatchNorm2d(shape[-1], part.epsilon, momentum)]
        case ReLU():
            modules = [nn.ReLU()]
        case MaxPool():
            modules = [nn.MaxPool2d(part.size)]
        case GlobalAveragePool():
            modules = [nn.AdaptiveAvgPool2d(1), nn.Flatten()]
        case Flatten():
            modules = [nn.Flatten()]
    if isinstance(part, (Dense, Conv, DepthwiseConv, BatchNorm)):
        weighted.append((modules[-1], part))
    if isinstance(part, (Dense, Conv)) and part.activation == "relu":
        modules.append(nn.ReLU())
    return modules


def _convolution(part: Conv | DepthwiseConv, shape: Shape) -> list[nn.Module]:
    channels = shape[-1]
    filters, groups, bias, same = (
        (part.filters, 1, part.bias, part.padding == "same")
        if isinstance(part, Conv)
        else (channels, channels, False, True)
    )
    before: list[nn.Module] = []
    padding = (part.size - 1) // 2 if same else 0
    if same and part.stride > 1:
        # Keras pads an even picture at its right and lower edges only, which
        # PyTorch's convolution cannot: a layer of its own does.
        padding = 0
        total = max(part.size - part.stride, 0)
        assert shape[0] % part.stride == 0
        if total:
            before = [nn.ZeroPad2d((total // 2, -(-total // 2)) * 2)]
    convolution = nn.Conv2d(
        channels, filters, part.size, part.stride, padding, groups=groups, bias=bias
    )
    return [*before, convolution]


def _set_weights(module: Any, part: Part, own: dict[str, np.ndarray]) -> None:
    values = {name: torch.from_numpy(value.copy()) for name, value in own.items()}
    with torch.no_grad():
        match part:
            case BatchNorm():
                module.weight.copy_(values["gamma"])
                module.bias.copy_(values["beta"])
            case Dense():
                module.weight.copy_(values["kernel"].T)
            case Conv():  # (height, width, in, out) -> (out, in, height, width)
                module.weight.copy_(values["kernel"].permute(3, 2, 0, 1))
            case DepthwiseConv():  # (height, width, channels, 1)
                module.weight.copy_(values["kernel"].permute(2, 3, 0, 1))
        if "bias" in values:
            module.bias.copy_(values["bias"])


def _flatten_channels_first(
    parts: Network, shape: Shape, weighted: list[tuple[nn.Module, Part]]
) -> None:
    """Order the rows of a kernel behind Flatten as PyTorch flattens: channels first."""
    dense = iter(module for module, part in weighted if isinstance(part, Dense))
    flat: Shape | None = None
    for part in parts:
        if isinstance(part, Flatten):
            flat = shape
        elif isinstance(part, Dense):
            linear: Any = next(dense)
            if flat is not None:
                weight = linear.weight.data.reshape(-1, *flat)  # (units, h, w, c)
                weight = weight.permute(0, 3, 1, 2).reshape(part.units, -1)
                linear.weight.data.copy_(weight.clone())
            flat = None
        shape = output_shape(part, shape)


def build(task: Task, variant: tuple[str, ...]) -> TorchLearner:
    return TorchLearner(task, variant)
