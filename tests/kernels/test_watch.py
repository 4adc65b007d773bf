"""What a native plan records, when it stops, and how it goes back."""

import numpy as np
import pytest

from deepneuron import ops
from deepneuron.engine.capture import capture
from deepneuron.engine.gradients import gradients
from deepneuron.engine.variable import Variable
from deepneuron.errors import ArgumentError, DivergenceError
from tests.kernels.judge import ISAS

from deepneuron.kernels.native.replay import Replay  # isort: skip - needs the extension
from deepneuron.kernels.native.set import NativeKernels  # isort: skip
from deepneuron.kernels.native.watch import Watch  # isort: skip

ROWS, SAMPLES = 4, 24


def build(watch=None):
    rng = np.random.default_rng(0)
    w = Variable(rng.normal(size=(3, 2)).astype("float32"), name="w")

    def step(x, y):
        hidden = ops.tanh(x @ w)
        loss = ops.mean(ops.square(hidden - y))
        (g,) = gradients(loss, [w])
        w.assign(w - 0.5 * g)
        return loss

    x = rng.normal(size=(SAMPLES, 3)).astype("float32")
    y = rng.normal(size=(SAMPLES, 2)).astype("float32")

    def hidden(graph):
        return [n.outputs[0] for n in graph.nodes if n.op.name == "tanh"]

    graph, _ = capture(step, x[:ROWS], y[:ROWS], keep=hidden if watch else None)
    kernels = NativeKernels(ISAS[0], 1)
    plan = kernels.plan(graph, watch)
    return w, plan, kernels.executor(plan), [x, y]


def test_kept_values_are_recorded_on_schedule_and_the_oldest_make_room():
    w, plan, executor, samples = build(Watch(every=2, last=2))
    order = np.arange(SAMPLES)
    weights = []
    for step in range(6):
        weights.append(w.numpy())
        executor.run_steps(samples, order[step * ROWS : (step + 1) * ROWS])
    for step in (2, 4):
        x = samples[0][step * ROWS : (step + 1) * ROWS]
        (hidden,) = plan.records.at(step)
        np.testing.assert_allclose(hidden, np.tanh(x @ weights[step]), rtol=1e-5)
    with pytest.raises(KeyError):
        plan.records.at(3)


def test_a_watched_run_learns_the_same_as_one_that_nobody_watches():
    trained = []
    for watch in (None, Watch(every=1, last=3)):
        w, _, executor, samples = build(watch)
        assert executor.run_steps(samples, np.arange(SAMPLES)) == SAMPLES // ROWS
        trained.append(w.numpy())
    np.testing.assert_array_equal(*trained)


@pytest.mark.parametrize("poison", [np.nan, np.inf])
def test_the_guard_stops_before_anything_is_updated(poison):
    w, _, executor, samples = build(Watch())
    samples[1][2 * ROWS] = poison
    done = executor.run_steps(samples, np.arange(SAMPLES))
    assert done == 2
    assert executor.step == 2
    before = w.numpy()
    assert np.isfinite(before).all()
    with pytest.raises(DivergenceError, match="nothing was updated"):
        executor.run([x[2 * ROWS : 3 * ROWS] for x in samples])
    np.testing.assert_array_equal(w.numpy(), before)


def test_any_of_the_latest_steps_can_be_made_again_bit_by_bit():
    w, _, executor, samples = build()
    replay = Replay(executor, every=2, snapshots=2)
    order = np.random.default_rng(1).permutation(SAMPLES)
    weights = {}
    for step in range(6):
        weights[step] = w.numpy()
        replay.executor.run_steps(samples, order[step * ROWS : (step + 1) * ROWS])
    w.assign(weights[0])
    executor.restore(executor.snapshot()._replace(step=0))
    assert replay.run_steps(samples, order) == 6
    after = w.numpy()
    for step in (2, 3, 4, 5):
        batch = replay.back_to(step)
        np.testing.assert_array_equal(w.numpy(), weights[step])
        np.testing.assert_array_equal(
            batch[0], samples[0][order[step * ROWS : (step + 1) * ROWS]]
        )
        executor.run(batch)
        wanted = after if step == 5 else weights[step + 1]
        np.testing.assert_array_equal(w.numpy(), wanted)
    with pytest.raises(ArgumentError, match="Step 0 cannot be made again"):
        replay.back_to(0)
