"""Graphs and captures: unknown sizes, order, errors that name the user's line."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import deepneuron as dn
from deepneuron import ops
from deepneuron.engine import scope
from deepneuron.engine.capture import Function, capture
from deepneuron.engine.graph import Graph, topological
from deepneuron.engine.tensor import Tensor
from deepneuron.errors import CaptureError, ShapeError

# --- unknown sizes


@pytest.mark.parametrize(
    ("function", "shape", "expected"),
    [
        (lambda x: x + np.ones((4, 2), "float32"), (None, 3), None),
        (lambda x: x + np.ones((4, 1), "float32"), (None, 3), (4, 3)),  # as in Keras
        (lambda x: x + np.ones(4, "float32"), (None,) * 3 + (4,), (None,) * 3 + (4,)),
        (lambda x: ops.reshape(x, (-1, 17)), (None, 34), (None, 17)),
        (lambda x: ops.reshape(x, (-1, 8, 8, 4)), (None, 4), (None, 8, 8, 4)),
        (lambda x: x @ np.ones((3, 5), "float32"), (None, 17, 3), (None, 17, 5)),
        (lambda x: x @ np.ones((3, 5), "float32"), (None, 8, 8, 3), (None, 8, 8, 5)),
        (lambda x: x + 1.0, (None, 3), (None, 3)),
        (lambda x: ops.reshape(x, (-1, 6)), (None, 4, 3), (None, 6)),
        (lambda x: ops.reshape(x, (-1,)), (None, 4, 3), (None,)),
        (lambda x: x[1:], (None, 3), (None, 3)),
        (lambda x: x[:, None], (None, 3), (None, 1, 3)),
        (lambda x: x[..., None, :2], (None, 3), (None, 1, 2)),
        (lambda x: x[0], (None, 3), (3,)),
        (lambda x: x[:7], (None, 3), (7, 3)),
        (ops.transpose, (None, 3), (3, None)),
        (lambda x: ops.sum(x, axis=0), (None, 3), (3,)),
        (lambda x: ops.sum(x, axis=0, keepdims=True), (None, 3), (1, 3)),
        (lambda x: ops.concatenate([x, x], axis=0), (None, 3), (None, 3)),
        (lambda x: ops.concatenate([x, x], axis=1), (None, 3), (None, 6)),
        (lambda x: ops.stack([x, x]), (None, 3), (2, None, 3)),
        (lambda x: ops.expand_dims(x, 1), (None, 3), (None, 1, 3)),
        (lambda x: x @ np.ones((3, 5), "float32"), (None, 3), (None, 5)),
        (lambda x: x @ np.ones((3, 5), "float32"), (None, None, 3), (None, None, 5)),
    ],
)
def test_unknown_sizes_go_through(function: Any, shape: Any, expected: Any) -> None:
    if expected is None:
        with pytest.raises(ShapeError):
            function(Tensor(shape))
        return
    assert function(Tensor(shape)).shape == expected


@given(st.integers(2, 9), st.integers(1, 4), st.sampled_from([0, 1, -1, None]))
def test_what_is_known_equals_what_is_computed(n: int, k: int, axis: Any) -> None:
    def f(x: Any) -> Any:
        return ops.sum(ops.relu(x @ np.ones((3, k), "float32")), axis=axis)

    unknown = f(Tensor((None, 3))).shape
    known = f(np.ones((n, 3), "float32")).shape
    assert len(unknown) == len(known)
    assert all(a in (None, b) for a, b in zip(unknown, known, strict=True))


# --- graphs


def test_nodes_come_after_what_they_need() -> None:
    x = Tensor((3,))
    a = ops.exp(x)
    b = ops.add(a, x)
    c = ops.multiply(a, b)
    assert topological([c]) == [a.node, b.node, c.node]
    assert topological([b, c, b]) == [a.node, b.node, c.node]
    assert topological([x]) == []
    graph = Graph([x], [c])
    assert list(graph.tensors()) == [x, a, b, c]
    assert repr(graph).splitlines()[0] == "exp((3,)) -> (3,)"


def test_nobody_wants_it_so_it_is_no_part_of_the_graph() -> None:
    def f(x: Any) -> Any:
        ops.exp(x)
        return x * 2.0

    graph, _ = capture(f, np.ones(3, "float32"))
    assert [node.op.name for node in graph.nodes] == ["multiply"]


def test_nodes_know_their_layer_and_their_line() -> None:
    def call(x: Any) -> Any:  # as that of a custom layer
        return ops.exp(x)

    with scope.name_scope("model"), scope.name_scope("dense"):
        y = call(Tensor((3,)))
    assert y.node.path == "model/dense"
    assert "test_graph.py:" in y.node.source


# --- captures


def test_an_error_while_capturing_names_the_line_and_the_operation() -> None:
    def step(x: Any) -> Any:
        return x @ np.ones((7, 2), "float32")

    with pytest.raises(ShapeError, match="do not go together") as caught:
        Function(step)(np.ones((4, 3), "float32"))
    assert caught.value.__notes__[0].startswith("in gemm (")
    assert "test_graph.py:" in caught.value.__notes__[0]


def test_an_assignment_of_another_shape_is_refused_while_capturing() -> None:
    w = dn.Variable(np.zeros(3, "float32"))

    def step(x: Any) -> Any:
        w.assign(x)
        return x

    with pytest.raises(ShapeError, match="has shape \\(3,\\)"):
        Function(step)(np.ones(4, "float32"))
    assert not w.numpy().any()


def test_after_a_failed_capture_everything_is_eager_again() -> None:
    def step(x: Any) -> Any:
        return x if float(ops.sum(x)) else -x

    with pytest.raises(CaptureError):
        Function(step)(np.ones(3, "float32"))
    assert isinstance(ops.exp(np.ones(2)), np.ndarray)


def test_a_function_captures_once_for_each_shape_and_type() -> None:
    calls = []

    def step(x: Any) -> Any:
        calls.append((x.shape, x.dtype))
        return x + 1

    function = Function(step)
    for n in (3, 2, 3, 2):
        function(np.ones(n, "float32"))
    function(np.ones(3, "int32"))
    assert calls == [((3,), "float32"), ((2,), "float32"), ((3,), "int32")]


def test_structures_go_in_and_come_out() -> None:
    def step(batch: Any, scale: Any) -> Any:
        x, y = batch["x"], batch["y"]
        return {"sum": x + y, "more": (x * scale, [y])}

    batch = {"y": np.ones(2, "float32"), "x": np.full(2, 3.0, "float32")}
    result = Function(step)(batch, 2.0)
    np.testing.assert_array_equal(result["sum"], [4.0, 4.0])
    np.testing.assert_array_equal(result["more"][0], [6.0, 6.0])
    np.testing.assert_array_equal(result["more"][1][0], [1.0, 1.0])
    assert result["more"][0].dtype == "float32"


def test_constants_are_read_when_the_function_is_captured() -> None:
    table = np.array([1.0, 2.0], "float32")
    function = Function(lambda x: x * table)
    before = function(np.ones(2, "float32"))
    table[...] = 100.0  # the plan has a copy
    np.testing.assert_array_equal(function(np.ones(2, "float32")), before)


def test_what_is_returned_may_be_an_input_a_constant_or_nothing() -> None:
    x = np.arange(3, dtype="float32")
    same, number, nothing = Function(lambda x: (x, np.float32(2.0), None))(x)
    np.testing.assert_array_equal(same, x)
    assert number == 2.0
    assert nothing is None


def test_arrays_that_do_not_fit_get_our_sentence_and_not_numpys():
    with pytest.raises(ShapeError, match=r"matmul: shapes .* do not go together"):
        ops.matmul(np.ones((2, 3)), np.ones((4, 5)))
    with pytest.raises(ShapeError, match=r"add: shapes .* do not go together"):
        ops.add(np.ones((2, 3)), np.ones((4, 5)))
