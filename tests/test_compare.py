import math

import numpy as np
import pytest

from benchmarks.compare import cases, plot, table
from benchmarks.compare.contestants import CONTESTANTS, named
from benchmarks.compare.driver import Driver
from benchmarks.compare.flops import forward_flops, step_flops
from benchmarks.compare.network import (
    BatchNorm,
    Conv,
    Dense,
    DepthwiseConv,
    Flatten,
    MaxPool,
    Residual,
    make_weights,
    walk,
)
from benchmarks.compare.outcome import Outcome, Results
from tests.peers import torch


def test_flops_of_dense_layers_are_two_for_each_weight():
    network = cases.mlp(512, 256, 10)
    weights = 784 * 512 + 512 * 256 + 256 * 10
    assert forward_flops(network, (784,)) == 2 * weights
    assert step_flops(network, (784,)) == 6 * weights - 2 * 784 * 512


def test_flops_of_convolutions_count_every_window():
    depthwise = (Conv(8, padding="valid"), BatchNorm(), DepthwiseConv(stride=2))
    first = 2 * (3 * 3 * 3 * 8) * (10 * 10)
    second = 2 * (3 * 3 * 8) * (5 * 5)
    assert forward_flops(depthwise, (12, 12, 3)) == first + second
    shortcut = Residual((Conv(4, 3, 2),), (Conv(4, 1, 2),))
    network = (Conv(8), shortcut, Flatten(), Dense(1))
    expected = (9 * 8 + 0) * 64, (9 * 8 * 4) * 16, (8 * 4) * 16, 4 * 16
    assert forward_flops(network, (8, 8, 1)) == 2 * sum(expected)
    assert step_flops(network, (8, 8, 1)) == 6 * sum(expected) - 2 * expected[0]


def test_flops_agree_with_those_that_pytorch_counts():
    torch()
    from torch.utils.flop_counter import FlopCounterMode

    from benchmarks.compare.contestants.torch import TorchLearner

    for key in ("mlp-32-sgd", "convnet", "resnet-8", "mobilenet"):
        case = next(case for case in cases.CASES if case.key == key)
        case = case._replace(batch=1, steps=1)
        task = cases.make_task(case)
        learner = TorchLearner(task, ())
        learner.model.eval()  # BatchNorm has no statistics of a single value
        x, y = learner.ready(*task.batches(0, 1))
        with FlopCounterMode(display=False) as counter:
            loss = learner.loss_of(x, y)
            forward = counter.get_total_flops()
            loss.backward()
        assert forward == forward_flops(case.network, case.shape)
        total = counter.get_total_flops()
        if key != "mobilenet":  # whose depthwise gradients PyTorch counts as dense
            assert total == step_flops(case.network, case.shape)


def test_residual_parts_are_walked_body_first_and_keep_their_shapes():
    network = (Conv(4), Residual((Conv(8, 3, 2), Conv(8)), (Conv(8, 1, 2),)), MaxPool())
    seen = [(type(part).__name__, after) for part, _, after in walk(network, (8, 8, 1))]
    assert seen == [
        ("Conv", (8, 8, 4)),
        ("Conv", (4, 4, 8)),
        ("Conv", (4, 4, 8)),
        ("Conv", (4, 4, 8)),
        ("MaxPool", (2, 2, 8)),
    ]
    kernels = [own["kernel"].shape for own in make_weights(network, (8, 8, 1))]
    assert kernels == [(3, 3, 1, 4), (3, 3, 4, 8), (3, 3, 8, 8), (1, 1, 4, 8)]


def test_a_task_is_the_same_after_saving(tmp_path):
    task = cases.make_task(cases.CASES[0])
    cases.save(task, str(tmp_path / "task.npz"))
    again = cases.load(task.case, str(tmp_path / "task.npz"))
    assert len(again.weights) == len(task.weights)
    for own, loaded in zip(task.weights, again.weights, strict=True):
        assert list(own) == list(loaded)
        for name, value in own.items():
            np.testing.assert_array_equal(value, loaded[name])
    np.testing.assert_array_equal(task.x, again.x)
    np.testing.assert_array_equal(task.y, again.y)


def results() -> Results:
    row = {
        "ours-native": Outcome(missing="absent: not built"),
        "ours-numpy": Outcome([0.002, 0.002, 0.001], loss=1.0),
        "torch-eager": Outcome([0.001, 0.001, 0.001], first_loss=1.0, loss=1.001),
        "torch-fused": Outcome([0.0008], loss=1.0),
        "torch-fused-bf16": Outcome([0.0005], loss=1.02),
        "jax": Outcome([0.004], first_loss=1.1, loss=2.0, asleep=0.5),
    }
    return Results(2, "all", 3, ceiling=100.0, outcomes={"mlp-32-sgd": row})


def table_rows(text: str) -> list[list[str]]:
    lines = [line.strip("|").split("|") for line in text.splitlines()]
    return [[cell.strip() for cell in line] for line in lines]


def test_the_table_shows_ratios_and_what_is_lost():
    header, _, row = table_rows(table.ratios(results()))
    cells = dict(zip(header, row, strict=True))
    assert cells[""] == "MLP 784-512-256-10, batch 32, SGD"
    assert cells["deepneuron"] == table.NOTHING
    assert cells["deepneuron, NumPy kernels"] == "1"
    assert cells["PyTorch eager"] == "**2.00**"
    assert cells["PyTorch tuned"] == "**4.00**"
    assert cells["JAX"] == "0.500"


def test_the_table_shows_medians_quarters_and_rates():
    header, _, row = table_rows(table.milliseconds(results()))
    cells = dict(zip(header, row, strict=True))
    assert cells["deepneuron, NumPy kernels"] == "2.00 (1.50)"
    header, _, row = table_rows(table.gflops(results()))
    case = next(case for case in cases.CASES if case.key == "mlp-32-sgd")
    rate = 32 * step_flops(case.network, case.shape) / 0.004 / 1e9
    cells = dict(zip(header, row, strict=True))
    assert cells["JAX"] == f"{table.digits(rate)} ({rate / 100:.0%})"


def test_remarks_name_the_absent_the_different_and_the_restless():
    text = "\n".join(table.remarks(results()))
    assert "**deepneuron**: absent: not built (mlp-32-sgd)" in text
    assert "**JAX**: its loss after 20 steps is 2, not 1.001" in text
    assert "**JAX**: its loss at first is 1.1, not 1" in text
    assert "**JAX**: used over 2% of a core" in text
    assert "PyTorch" not in text  # 0.1 % is within the tolerance, 2 % is in bf16


def test_the_page_keeps_what_stands_around_the_tables(tmp_path):
    page = tmp_path / "performance.md"
    page.write_text(f"Before\n{table.BEGIN}\nold\n{table.END}\nAfter\n", "utf-8")
    table.write_between(page, "new")
    text = page.read_text("utf-8")
    assert text == f"Before\n{table.BEGIN}\n\nnew\n\n{table.END}\nAfter\n"
    page.write_text("no markers", "utf-8")
    with pytest.raises(ValueError, match="no lines"):
        table.write_between(page, "new")


def test_results_are_the_same_after_saving_and_can_be_drawn(tmp_path):
    results().save(tmp_path / "results.json")
    again = Results.load(tmp_path / "results.json")
    assert again == results()
    plot.draw(again, tmp_path / "plot.png")
    assert (tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")


def test_every_column_has_a_style():
    everybody = {c.key: Outcome([1.0]) for c in CONTESTANTS}
    shown = Results(1, "all", 1, outcomes={"convnet": everybody})
    assert {title for title, _ in table.columns(shown)} == set(plot.STYLES)


def test_contestants_take_turns_in_processes_of_their_own():
    case = cases.CASES[0]._replace(steps=3)
    lines = []
    driver = Driver(1, None, rounds=2, limit=120, progress=lines.append)
    contestants = [*named("ours-numpy"), *named("sklearn")]
    outcomes = driver.run(case, contestants)
    assert len(lines) == driver.turns(case, contestants)
    for outcome in outcomes.values():
        assert not outcome.missing
        assert len(outcome.train) == len(outcome.predict_1) == 2
        assert all(map(math.isfinite, [*outcome.train, outcome.loss]))
        assert min(outcome.train) > 0


def test_a_contestant_over_the_time_limit_is_reported():
    case = cases.CASES[0]
    outcomes = Driver(1, None, rounds=1, limit=0.001).run(case, named("ours-numpy"))
    assert outcomes["ours-numpy"].missing == "over the time limit of 0 s"
