import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepneuron import Input, Sequential, layers, utils
from deepneuron.callbacks import LambdaCallback
from deepneuron.data.batches import Batches
from deepneuron.errors import ArgumentError, DataError


def pictures(n, shape=(4, 3, 1)):
    """Pictures whose first pixel is their number, and labels 0, 1, 2, 0, ..."""
    x = np.random.default_rng(n).integers(0, 256, (n, *shape), dtype=np.uint8)
    x[:, 0, 0, 0] = np.arange(n)
    return x, np.arange(n) % 3


def numbers(batch):
    return batch[0][:, 0, 0, 0].tolist()


def noisy(x, generator):
    """An augmentation that shows what was drawn for it."""
    return x ^ generator.integers(0, 256, x.shape, dtype=np.uint8)


def background_threads():
    return [t for t in threading.enumerate() if t.name.startswith("batch ")]


@given(st.integers(1, 60), st.integers(1, 25), st.booleans(), st.booleans(), st.data())
def test_an_epoch_has_every_row_once(n, batch_size, shuffle, prefetch, data):
    x, y = pictures(n)
    rows = np.array(data.draw(st.lists(st.integers(0, n - 1), unique=True, min_size=1)))
    batches = Batches(
        x, y, rows, batch_size=batch_size, shuffle=shuffle, prefetch=prefetch
    )
    seen = list(batches)
    assert [len(b[0]) for b in seen[:-1]] == [batch_size] * (len(seen) - 1)
    assert 1 <= len(seen[-1][0]) <= batch_size
    order = np.concatenate([b[0][:, 0, 0, 0] for b in seen])
    labels = np.concatenate([b[1] for b in seen])
    if not shuffle:
        np.testing.assert_array_equal(order, rows)
    assert sorted(order) == sorted(rows)
    np.testing.assert_array_equal(np.concatenate([b[0] for b in seen]), x[order])
    np.testing.assert_array_equal(labels, y[order])


@given(st.integers(0, 2**64 - 1), st.integers(0, 5), st.booleans())
def test_a_batch_depends_on_seed_epoch_and_number_alone(seed, epoch, prefetch):
    x, y = pictures(20)
    arguments = {
        "batch_size": 6,
        "seed": seed,
        "shuffle": True,
        "augmentation": noisy,
    }
    through = Batches(x, y, np.arange(20), **arguments)
    for _ in range(epoch):
        list(through)
        through.on_epoch_end()
    resumed = Batches(x, y, np.arange(20), **arguments, epoch=epoch, prefetch=prefetch)
    for i in (3, 1, 2, 0, 0, 1):
        for one, other in zip(through[i], resumed[i], strict=True):
            np.testing.assert_array_equal(one, other)


def test_epochs_seeds_and_batches_draw_differently():
    x, y = np.zeros((64, 4, 3, 1), np.uint8), np.arange(64)
    drawn = set()
    for seed in (0, 1):
        for epoch in (0, 1):
            batches = Batches(
                x,
                y,
                np.arange(64),
                batch_size=32,
                seed=seed,
                epoch=epoch,
                shuffle=True,
                augmentation=noisy,
            )
            drawn |= {b[0].tobytes() for b in batches}
            drawn |= {b[1].tobytes() for b in batches}
    assert len(drawn) == 2 * 2 * 2 * 2


def test_a_memory_map_gives_what_the_array_gives(tmp_path):
    x, y = pictures(50)
    np.save(tmp_path / "x.npy", x)
    on_disk = np.load(tmp_path / "x.npy", mmap_mode="r")
    rows = np.arange(50)
    for one, other in zip(
        Batches(x, y, rows, batch_size=8, shuffle=True),
        Batches(on_disk, y, rows, batch_size=8, shuffle=True),
        strict=True,
    ):
        np.testing.assert_array_equal(one[0], other[0])
        assert type(other[0]) is np.ndarray
        assert other[0].flags.writeable
        assert other[0].dtype == np.uint8


def test_arrays_of_a_batch_are_its_own():
    x, y = pictures(8)
    before = x.copy()
    batches = Batches(x, y, np.arange(8), batch_size=4)
    first = batches[0]
    kept = first[0].copy()
    batches[1][0][:] = 9
    np.testing.assert_array_equal(first[0], kept)
    np.testing.assert_array_equal(x, before)


def test_the_next_batch_is_made_in_one_thread_that_ends():
    x, y = pictures(12)
    makers = []

    def note(x, generator):
        makers.append((threading.current_thread() is threading.main_thread(), x.shape))
        return x

    batches = Batches(x, y, np.arange(12), batch_size=4, augmentation=note)
    for i in range(3):
        batches[i]
        assert len(background_threads()) <= 1
    assert [main for main, _ in makers] == [True, False, False]
    assert not background_threads()
    batches[0]
    batches.close()  # left in the middle
    assert not background_threads()
    alone = Batches(
        x, y, np.arange(12), batch_size=4, augmentation=note, prefetch=False
    )
    makers.clear()
    list(alone)
    assert [main for main, _ in makers] == [True] * 3


def test_the_next_batch_is_made_while_this_one_is_learned_from():
    x, y = pictures(8)
    made = threading.Event()

    def note(x, generator):
        if x[0, 0, 0, 0] == 4:
            made.set()
        return x

    batches = Batches(x, y, np.arange(8), batch_size=4, augmentation=note)
    batches[0]
    assert made.wait(timeout=60)  # without asking for batch 1
    batches.close()


def test_a_thread_is_used_where_there_is_something_to_make():
    x, y = pictures(8)
    assert not Batches(x, y, np.arange(8), batch_size=4).prefetch
    assert Batches(x, y, np.arange(8), batch_size=4, augmentation=noisy).prefetch
    assert Batches(x, y, np.arange(8), batch_size=4, prefetch=True).prefetch


@pytest.mark.parametrize("prefetch", [True, False])
def test_an_error_is_raised_where_its_batch_is_asked_for(prefetch):
    x, y = pictures(12)

    def fail(x, generator):
        if x[0, 0, 0, 0] == 4:
            raise DataError("picture 4 is odd")
        return x

    batches = Batches(
        x, y, np.arange(12), batch_size=4, augmentation=fail, prefetch=prefetch
    )
    assert numbers(batches[0]) == [0, 1, 2, 3]
    with pytest.raises(DataError, match="picture 4 is odd"):
        batches[1]
    assert numbers(batches[2]) == [8, 9, 10, 11]
    batches[0]
    batches.close()  # the error of a batch that nobody asked for is nobody's
    assert not background_threads()


def test_class_weights_become_sample_weights():
    x, y = pictures(7)
    weights = np.array([0.5, 1.0, 4.0])
    batches = Batches(x, y, np.arange(7), batch_size=5, class_weights=weights)
    _, labels, sample_weight = batches[0]
    assert sample_weight.dtype == np.float32
    np.testing.assert_array_equal(sample_weight, weights[labels])


def small_model():
    utils.set_random_seed(5)
    model = Sequential(
        [
            Input((4, 3, 1)),
            layers.Rescaling(1 / 255),
            layers.Flatten(),
            layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def test_bytes_give_the_numbers_that_floats_give():
    x, y = pictures(40)
    rows = np.arange(40)
    results = []
    for values in (x, x.astype("float32")):
        model = small_model()
        batches = Batches(values, y, rows, batch_size=16, shuffle=True, seed=3)
        history = model.fit(batches, epochs=2, shuffle=False, verbose=0)
        every = Batches(values, y, rows, batch_size=32)
        results.append(
            (
                history.history,
                model.evaluate(every, verbose=0),
                model.predict(every, verbose=0),
            )
        )
    (one, one_scores, one_y), (other, other_scores, other_y) = results
    assert one == other
    assert one_scores == other_scores
    np.testing.assert_array_equal(one_y, other_y)


def test_fit_gives_what_the_same_arrays_in_order_give():
    x, y = pictures(40)
    model, peer = small_model(), small_model()
    batches = Batches(x, y, np.arange(40), batch_size=16)
    model.fit(batches, epochs=2, shuffle=False, verbose=0)
    peer.fit(x, y, batch_size=16, epochs=2, shuffle=False, verbose=0)
    for one, other in zip(model.get_weights(), peer.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_fit_resumed_at_an_epoch_is_the_run_that_never_stopped():
    x, y = pictures(40)

    def batches(epoch):
        return Batches(
            x,
            y,
            np.arange(40),
            batch_size=16,
            shuffle=True,
            augmentation=noisy,
            epoch=epoch,
        )

    whole, halves = small_model(), small_model()
    whole.fit(batches(0), epochs=4, shuffle=False, verbose=0)
    halves.fit(batches(0), epochs=2, shuffle=False, verbose=0)
    halves.fit(batches(2), epochs=4, initial_epoch=2, shuffle=False, verbose=0)
    for one, other in zip(whole.get_weights(), halves.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_fit_moves_on_before_the_callbacks_learn_of_the_end():
    x, y = pictures(8)
    batches = Batches(x, y, np.arange(8), batch_size=4)
    seen = []
    watch = LambdaCallback(
        on_epoch_begin=lambda epoch, logs: seen.append(batches.epoch),
        on_epoch_end=lambda epoch, logs: seen.append(batches.epoch),
    )
    small_model().fit(batches, epochs=2, shuffle=False, verbose=0, callbacks=[watch])
    assert seen == [0, 1, 1, 2]
    assert not background_threads()


@pytest.mark.parametrize(
    ("changed", "error", "message"),
    [
        ({"batch_size": 0}, ArgumentError, "batch_size .* 1 or more; received 0"),
        ({"batch_size": 2.0}, ArgumentError, "received 2.0"),
        ({"seed": -1}, ArgumentError, "seed .* from 0 to .*; received -1"),
        ({"epoch": -1}, ArgumentError, "epoch .* received -1"),
        ({"rows": np.array([0, 6])}, DataError, "between 0 and 5"),
        ({"rows": np.array([-1])}, DataError, "received -1 to -1"),
        ({"rows": np.array([0.5])}, DataError, "array of float64"),
        ({"y": np.zeros(5, int)}, DataError, "one label for each picture"),
        ({"class_weights": np.ones(2)}, DataError, "labels go up to 2"),
    ],
)
def test_what_cannot_be_batches(changed, error, message):
    x, y = pictures(6)
    arguments = {"x": x, "y": y, "rows": np.arange(6), "batch_size": 2, **changed}
    with pytest.raises(error, match=message):
        Batches(**arguments)


def test_a_batch_that_does_not_exist():
    x, y = pictures(6)
    batches = Batches(x, y, np.arange(6), batch_size=2)
    for index in (-1, 3):
        with pytest.raises(IndexError, match="from 0 to 2"):
            batches[index]
