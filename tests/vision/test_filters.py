import numpy as np
import pytest

import deepneuron as dn
from deepneuron import layers
from deepneuron.vision.filters import as_pictures, first_filters


def of_one_layer(layer, shape):
    return dn.Sequential([layers.Input(shape), layers.Rescaling(1 / 255), *layer])


@pytest.mark.parametrize("channels", [1, 3])
def test_the_kernels_of_the_first_convolution_become_pictures(channels):
    first = layers.Conv2D(5, (3, 2))
    more = [layers.Conv2D(4, 3), layers.Flatten(), layers.Dense(2)]
    filters = first_filters(of_one_layer([first, *more], (9, 9, channels)))
    assert filters.shape == (5, 3, 2, channels)
    assert filters.dtype == np.uint8
    kernel = np.asarray(first.kernel)
    for i, picture in enumerate(filters):
        w = kernel[..., i] / np.abs(kernel[..., i]).max()
        assert np.abs(picture - 127.5 * (1 + w)).max() <= 0.5 + 1e-4
        assert picture.min() == 0 or picture.max() == 255


@pytest.mark.parametrize("shape", [(4, 6, 1), (4, 6, 3), (4, 6)])
def test_a_dense_layer_that_sees_pixels_has_the_form_of_the_picture(shape):
    dense = layers.Dense(3)
    filters = first_filters(of_one_layer([layers.Flatten(), dense], shape))
    channels = shape[2] if len(shape) == 3 else 1
    assert filters.shape == (3, 4, 6, channels)
    w = np.asarray(dense.kernel)[:, 1].reshape(4, 6, channels)
    assert np.abs(filters[1] - 127.5 * (1 + w / np.abs(w).max())).max() < 0.51


def test_filters_within_a_model_within_a_model_are_found():
    body = dn.Sequential([layers.Input((8, 8, 1)), layers.Conv2D(2, 3)])
    x = layers.Input((8, 8, 1))
    model = dn.Model(x, layers.Dense(3)(layers.Flatten()(body(x))))
    assert first_filters(model).shape == (2, 3, 3, 1)


def test_what_does_not_look_at_pixels_has_no_filters():
    pooled = [layers.GlobalAveragePooling2D(), layers.Dense(3)]
    assert first_filters(of_one_layer(pooled, (4, 4, 3))) is None
    assert first_filters(of_one_layer([layers.Conv2D(2, 3)], (4, 4, 2))) is None
    assert first_filters(of_one_layer([layers.Flatten()], (4, 4, 3))) is None


def test_a_filter_of_zeros_is_grey():
    assert as_pictures(np.zeros((1, 2, 2, 1))).tolist() == [[[[128]] * 2] * 2]
