import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import deepneuron as dn
from deepneuron import layers, ops
from deepneuron.errors import ArgumentError, NotBuiltError, ShapeError
from deepneuron.vision.answers import answers, kind_of
from deepneuron.vision.heatmaps import grad_cam, occlusion, overlay, relative
from tests.peers import keras


def pictures(rows=3, shape=(8, 8, 1), seed=0):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (rows, *shape), dtype=np.uint8)


def small_cnn(*, ends="softmax", classes=3, channels=1):
    dn.utils.set_random_seed(1)
    last = {
        "softmax": layers.Dense(classes, "softmax"),
        "logits": layers.Dense(classes),
    }
    last["layer"] = layers.Dense(classes)
    model = dn.Sequential(
        [
            layers.Input((8, 8, channels)),
            layers.Rescaling(1 / 255),
            layers.Conv2D(4, 3, activation="relu", name="first"),
            layers.BatchNormalization(),
            layers.Conv2D(6, 3, padding="same", activation="elu", name="last"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dropout(0.5),
            layers.Dense(5, activation="tanh"),
            last[ends],
        ]
    )
    if ends == "layer":
        model.add(layers.Softmax())
    return model


def by_hand(a, da, size):
    """Grad-CAM from feature maps and the gradient of the score with respect to them."""
    maps = np.maximum(np.einsum("nhwk,nk->nhw", a, da.mean((1, 2))), 0)
    maps = ops.image.resize(maps[..., None], size)[..., 0]
    return relative(maps)


@pytest.mark.parametrize("ends", ["softmax", "logits", "layer"])
def test_grad_cam_agrees_with_finite_differences_of_the_logit(ends):
    model, x, classes = small_cnn(ends=ends), pictures(), np.array([0, 2, 1])
    stack = [layer for layer in model.layers if not isinstance(layer, layers.Softmax)]
    place = [layer.name for layer in stack].index("last") + 1

    def through(y, some):
        for layer in some:
            y = layer(y, training=False) if layer.name != "last" else layer(y)
        return y

    a = np.asarray(through(x, stack[:place]))  # (3, 6, 6, 6)

    def score(maps):
        y = through(maps.astype("float32"), stack[place:-1])
        dense = stack[-1]
        logits = np.float64(y) @ np.float64(dense.kernel) + np.float64(dense.bias)
        return logits[np.arange(3), classes]

    da, step = np.zeros(a.shape), 1e-3
    for index in np.ndindex(a.shape[1:]):
        nudge = np.zeros(a.shape, "float32")
        nudge[(slice(None), *index)] = step
        da[(slice(None), *index)] = (score(a + nudge) - score(a - nudge)) / (2 * step)
    np.testing.assert_allclose(
        grad_cam(model, x, classes), by_hand(a, da, (8, 8)), atol=5e-3
    )


@pytest.mark.parametrize("channels", [1, 3])
def test_grad_cam_is_that_of_keras_and_jax(tmp_path, channels):
    import jax

    model = small_cnn(channels=channels)
    x, classes = pictures(4, (8, 8, channels)), np.array([0, 2, 1, 1])
    model.save(tmp_path / "model.keras")
    other = keras().models.load_model(tmp_path / "model.keras")
    until = keras().Model(other.inputs[0], other.get_layer("last").output)
    place = [layer.name for layer in other.layers].index("last") + 1
    last = other.layers[-1]

    def score(a):
        for layer in other.layers[place:-1]:
            a = layer(a, training=False) if layer.name == "dropout" else layer(a)
        logits = a @ last.kernel.value + last.bias.value
        return logits[np.arange(4), classes].sum()

    a = until(x.astype("float32"), training=False)
    da = jax.grad(score)(a)
    maps = np.maximum(np.einsum("nhwk,nk->nhw", a, np.mean(da, (1, 2))), 0)
    maps = np.asarray(jax.image.resize(maps, (4, 8, 8), "bilinear"))
    expected = maps / maps.max((1, 2), keepdims=True)
    np.testing.assert_allclose(grad_cam(model, x, classes), expected, atol=2e-5)


def test_grad_cam_sees_through_functional_nested_and_subclassed_models():
    model, x = small_cnn(), pictures()
    expected = grad_cam(model, x, 1)
    assert expected.max() == 1

    entry = layers.Input((8, 8, 1))
    y = entry
    for layer in model.layers:
        y = layer(y)
    functional = dn.Model(entry, y)

    body = dn.Sequential([layers.Input((8, 8, 1)), *model.layers[:4]])
    entry = layers.Input((8, 8, 1))
    y = body(entry)
    for layer in model.layers[4:]:
        y = layer(y)
    nested = dn.Model(entry, y)

    class Subclassed(dn.Model):
        def __init__(self):
            super().__init__()
            self.inner = model

        def call(self, x, training=False):
            return self.inner(x)

    subclassed = Subclassed()
    subclassed(x)
    for other in (functional, nested, subclassed):
        np.testing.assert_allclose(grad_cam(other, x, 1), expected, atol=1e-6)


def test_grad_cam_of_channels_first_is_that_of_channels_last():
    dn.utils.set_random_seed(1)
    twins = []
    for form in ("channels_last", "channels_first"):
        turn = [layers.Permute((3, 1, 2))] if form == "channels_first" else []
        back = [layers.Permute((2, 3, 1))] if turn else []
        conv = layers.Conv2D(4, 3, activation="relu", data_format=form)
        pool = layers.MaxPooling2D(data_format=form)
        tail = [layers.Flatten(), layers.Dense(3, activation="softmax")]
        entry = layers.Input((8, 8, 1))
        twins.append(dn.Sequential([entry, *turn, conv, pool, *back, *tail]))
    twins[1].set_weights(twins[0].get_weights())
    first, second = (grad_cam(model, pictures(), 1) for model in twins)
    assert first.max() == 1
    np.testing.assert_allclose(first, second, atol=1e-6)


def test_grad_cam_finds_the_last_maps_of_a_global_pooling_network():
    dn.utils.set_random_seed(2)
    entry = layers.Input((8, 8, 1))
    y = layers.Conv2D(4, 3, padding="same", activation="relu")(entry)
    y = layers.Add()([y, layers.Conv2D(4, 3, padding="same")(y)])
    y = layers.MaxPooling2D()(y)
    until = y = layers.ReLU()(layers.BatchNormalization()(y))  # 4 x 4 places
    y = layers.GlobalAveragePooling2D()(y)
    dense = layers.Dense(3, activation="softmax")
    model = dn.Model(entry, dense(y))
    # Behind a global mean, d logit / d A_k is the same everywhere: CAM and Grad-CAM.
    a = np.asarray(dn.Model(entry, until)(pictures()))
    da = np.broadcast_to(np.asarray(dense.kernel)[:, 2] / 16, a.shape)
    np.testing.assert_allclose(
        grad_cam(model, pictures(), 2), by_hand(a, da, (8, 8)), atol=1e-5
    )


def test_one_output_has_two_classes_with_opposite_scores():
    dn.utils.set_random_seed(3)
    stem = [layers.Input((8, 8, 1)), layers.Conv2D(4, 3), layers.Flatten()]
    model = dn.Sequential([*stem, layers.Dense(1, activation="sigmoid")])
    x = pictures()
    p = answers(model, x)
    assert p.shape == (3, 2)
    np.testing.assert_allclose(p[:, 1], model.predict(x, verbose=0)[:, 0])
    two = dn.Sequential([*model.layers[:-1], layers.Dense(2)])
    two.build((None, 8, 8, 1))
    kernel, bias = model.layers[-1].get_weights()
    two.layers[-1].set_weights([np.hstack([-kernel, kernel]), np.r_[-bias, bias]])
    for c in (0, 1):
        np.testing.assert_allclose(
            grad_cam(model, x, c), grad_cam(two, x, c), atol=1e-6
        )


def test_without_a_convolution_there_is_no_grad_cam():
    tail = [layers.Rescaling(1 / 255), layers.Flatten(), layers.Dense(3, "softmax")]
    assert (
        grad_cam(dn.Sequential([layers.Input((8, 8, 1)), *tail]), pictures(), 0) is None
    )


def test_many_pictures_have_the_maps_that_each_has_alone():
    model, x = small_cnn(), pictures(70)
    classes = np.arange(70) % 3
    maps = grad_cam(model, x, classes)
    assert maps.dtype == np.float32
    assert maps.shape == (70, 8, 8)
    np.testing.assert_allclose(
        maps[40:41], grad_cam(model, x[40:41], classes[40]), atol=1e-4
    )
    assert grad_cam(model, x[:0], 1).shape == (0, 8, 8)
    assert occlusion(model, x[:0], 1).shape == (0, 8, 8)


@pytest.mark.filterwarnings("error")
def test_heat_maps_leave_the_model_as_it_was():
    x, y = pictures(8), np.arange(8) % 3

    def trained(*, look):
        model = small_cnn()
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        dn.utils.set_random_seed(5)
        model.fit(x, y, epochs=1, batch_size=4, verbose=0)
        if look:
            before = [np.array(w) for w in model.get_weights()]
            grad_cam(model, x, y)
            occlusion(model, x[:1], 1)
            answers(model, x)
            for w, v in zip(before, model.get_weights(), strict=True):
                np.testing.assert_array_equal(w, v)
        model.fit(x, y, epochs=2, batch_size=4, verbose=0)
        return [*model.get_weights(), np.random.rand(3)]

    for w, v in zip(trained(look=True), trained(look=False), strict=True):
        np.testing.assert_array_equal(w, v)


@settings(max_examples=15)
@given(st.integers(1, 8), st.integers(1, 8), st.integers(0, 100))
def test_occlusion_agrees_with_covering_by_hand(patch, stride, seed):
    stride = min(stride, patch)
    model, x = _MODEL, pictures(2, (8, 7, 3), seed)
    maps = occlusion(model, x, np.array([0, 2]), patch, stride)
    total, covers = np.zeros((2, 8, 7)), np.zeros((8, 7))
    tops = sorted({*range(0, 8 - patch, stride), max(8 - patch, 0)})
    lefts = sorted({*range(0, max(7 - patch, 0), stride), max(7 - patch, 0)})
    for top in tops:
        for left in lefts:
            hidden = x.copy()
            mean = np.round(x.mean((1, 2)))[:, None, None]
            hidden[:, top : top + patch, left : left + patch] = mean
            fall = answers(model, x) - answers(model, hidden)
            fall = fall[[0, 1], [0, 2]][:, None, None]
            total[:, top : top + patch, left : left + patch] += fall
            covers[top : top + patch, left : left + patch] += 1
    np.testing.assert_allclose(maps, total / covers, atol=1e-5)


dn.utils.set_random_seed(4)
_MODEL = dn.Sequential([layers.Input((8, 7, 3)), layers.Rescaling(1 / 255)])
_MODEL.add(layers.Conv2D(3, 3, activation="relu"))
_MODEL.add(layers.Flatten())
_MODEL.add(layers.Dense(3, activation="softmax"))


def test_occlusion_and_grad_cam_find_the_only_place_that_counts():
    """A network that looks for one bright spot, wherever it is."""
    conv = layers.Conv2D(1, 3, padding="same", activation="relu")
    pool, dense = layers.GlobalMaxPooling2D(), layers.Dense(1, activation="sigmoid")
    entry = layers.Input((16, 16, 1))
    model = dn.Sequential([entry, layers.Rescaling(1 / 255), conv, pool, dense])
    conv.set_weights([np.full((3, 3, 1, 1), 1 / 9), np.full(1, -0.5)])
    dense.set_weights([np.full((1, 1), 20.0), np.full(1, -2.0)])
    x = np.full((1, 16, 16, 1), 20, "uint8")
    x[0, 3:6, 10:13] = 255
    told = []
    falls = occlusion(
        model, x, 1, patch=4, stride=1, progress=lambda *p: told.append(p)
    )
    assert told == [(1, 1)]
    for heat in (falls[0], grad_cam(model, x, 1)[0]):
        row, column = np.unravel_index(heat.argmax(), heat.shape)
        assert 2 <= row <= 6
        assert 9 <= column <= 13
    assert falls.max() > 0.5
    assert abs(falls[0, 12:, :6]).max() < 1e-6
    assert occlusion(model, x, 0, patch=4, stride=1).min() < -0.5


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("grad", 3), "the classes 0 to 2"),
        (("grad", -1), "the classes 0 to 2"),
        (("grad", 1.5), "whole number"),
        (("grad", [0, 1]), "one for each of the 3"),
        (("occlusion", 3), "the classes 0 to 2"),
        (("occlusion", 1, 0), "at least 1"),
        (("occlusion", 1, 2, 3), "would skip pixels"),
    ],
)
def test_a_heat_map_that_cannot_be_made_is_one_sentence(arguments, words):
    name, *rest = arguments
    with pytest.raises(ArgumentError, match=words):
        (grad_cam if name == "grad" else occlusion)(small_cnn(), pictures(), *rest)


def test_a_model_without_weights_or_without_classes_says_so():
    with pytest.raises(NotBuiltError, match="no weights"):
        grad_cam(dn.Sequential([layers.Flatten(), layers.Dense(2)]), pictures(), 0)
    no_classifier = dn.Sequential([layers.Input((8, 8, 1)), layers.Conv2D(2, 3)])
    with pytest.raises(ShapeError, match="no classifier"):
        answers(no_classifier, pictures())


@pytest.mark.parametrize("ends", ["softmax", "logits", "layer"])
def test_answers_are_probabilities_however_the_model_ends(ends):
    model, x = small_cnn(ends=ends), pictures(5)
    assert kind_of(model, x) == ("linear" if ends == "logits" else "softmax")
    twin = small_cnn()
    twin.set_weights(model.get_weights())
    np.testing.assert_allclose(answers(model, x), twin.predict(x, verbose=0), atol=1e-6)


def test_log_probabilities_are_answers_too():
    stem = [layers.Input((8, 8, 1)), layers.Flatten(), layers.Dense(3)]
    model = dn.Sequential([*stem, layers.Activation("log_softmax")])
    p = answers(model, pictures() / np.float32(255))
    np.testing.assert_allclose(p.sum(-1), 1, atol=1e-5)


def test_a_softmax_that_nobody_recognises_is_still_probabilities():
    class ByHand(dn.Model):
        def __init__(self):
            super().__init__()
            self.inner = small_cnn(ends="logits")

        def call(self, x, training=False):
            y = ops.exp(self.inner(x))
            return y / ops.sum(y, axis=-1, keepdims=True)

    model, x = ByHand(), pictures()
    p = np.asarray(model(x))  # eagerly, so with NumPy's kernels
    np.testing.assert_allclose(answers(model, x), p, rtol=1e-6)
    # The gradient is that of log p: pushing a class up pushes the others down.
    maps = np.stack([grad_cam(model, x, c) for c in range(3)])
    assert np.isfinite(maps).all()
    assert maps.max() == 1


def test_drawing_leaves_the_random_numbers_of_python_alone():
    code = (
        "import random, numpy as np; random.seed(1); a = random.getstate()\n"
        "from deepneuron.vision.heatmaps import overlay\n"
        "overlay(np.zeros((2, 2), 'uint8'), np.ones((2, 2)))\n"
        "assert random.getstate() == a"
    )
    source = Path(__file__).resolve().parents[2] / "src"
    environment = {**os.environ, "PYTHONPATH": str(source)}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)


def test_an_overlay_is_the_picture_where_nothing_is_hot():
    picture = pictures(1, (5, 6, 3))[0]
    cold = overlay(picture, np.zeros((5, 6)))
    grey = picture @ [0.299, 0.587, 0.114]
    np.testing.assert_array_equal(cold, np.round(grey)[..., None].repeat(3, -1))
    assert cold.dtype == np.uint8
    assert overlay(picture[..., :1], np.ones((5, 6))).shape == (5, 6, 3)


def test_colours_of_an_overlay_grow_lighter_with_the_heat():
    heat = np.linspace(0, 1, 64)[None]
    drawn = overlay(np.full((1, 64), 60, "uint8"), heat)[0]
    light = drawn @ [0.2126, 0.7152, 0.0722]
    assert light[-1] > light[0] + 60
    assert (np.diff(light[20:]) > -1).all()


def test_grad_cam_knows_networks_of_depthwise_convolutions():
    maps = [layers.DepthwiseConv2D(3, activation="relu"), layers.SeparableConv2D(4, 1)]
    for some in (maps[:1], maps):
        ends = [layers.GlobalAveragePooling2D(), layers.Dense(3)]
        model = dn.Sequential([layers.Input((8, 8, 2)), *some, *ends])
        drawn = grad_cam(model, np.ones((2, 8, 8, 2), "float32"), classes=1)
        assert drawn.shape == (2, 8, 8)
