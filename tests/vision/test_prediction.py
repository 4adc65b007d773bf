import io
import os
import warnings

import numpy as np
import pytest
from PIL import Image

import deepneuron as dn
from deepneuron import layers
from deepneuron.errors import (
    ArgumentError,
    DataError,
    DataNotFoundError,
    PictureError,
    SavingError,
)
from deepneuron.vision.classifier import Classifier, open_classifier
from deepneuron.vision.explain import ExplanationFolder, explain
from deepneuron.vision.listing import free_name, list_pictures
from deepneuron.vision.prediction import predict
from tests.vision.classifiers import (
    NAMES,
    brightness_model,
    write_picture,
    write_run,
)


def called(found):
    return [one.class_name for one in found]


def test_a_run_names_pictures_of_any_size_and_mode(tmp_path):
    run = write_run(tmp_path / "run")
    write_picture(tmp_path / "a.png", 250, (30, 7))
    write_picture(tmp_path / "b.jpg", 128, mode="RGB")
    write_picture(tmp_path / "c.bmp", 5, (1, 1))
    found = predict(run, [tmp_path / f"{n}" for n in ("a.png", "b.jpg", "c.bmp")])
    assert called(found) == ["bright", "grey", "dark"]
    first = found[0]
    assert first.name == str(tmp_path / "a.png")
    assert first.probabilities.shape == (3,)
    assert first.confidence == pytest.approx(first.probabilities.max())
    assert first.best(9)[0] == ("bright", first.confidence)
    assert [name for name, _ in first.best(9)] == ["bright", "grey", "dark"]
    assert [p for _, p in first.best(3)] == sorted(first.probabilities)[::-1]
    assert repr(first).endswith(f"a.png: bright {first.confidence:.4f}>")


def test_predictions_are_those_of_the_network_for_the_fitted_pixels(tmp_path):
    from deepneuron.data.decode import fit

    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (150, 8, 8, 1), dtype=np.uint8)
    model = brightness_model()
    p = np.stack([one.probabilities for one in predict(model, x)])
    np.testing.assert_allclose(p, model.predict(x, verbose=0), atol=1e-6)
    assert [one.name for one in predict(model, x)] == [str(i) for i in range(150)]
    large = rng.integers(0, 256, (40, 20, 3), dtype=np.uint8)
    Image.fromarray(large).save(tmp_path / "large.png")
    (one,) = predict(model, tmp_path / "large.png")
    expected = model.predict(fit(large, (8, 8, 1))[None], verbose=0)[0]
    np.testing.assert_allclose(one.probabilities, expected, atol=1e-6)


@pytest.mark.parametrize(
    "pictures",
    [
        np.full((8, 8), 255, np.uint8),
        np.full((8, 8, 1), 255, np.uint8),
        np.full((9, 8, 3), 255, np.uint8),
        [np.full((8, 8, 1), 255, np.uint8)],
        Image.new("RGB", (20, 20), "white"),
        [Image.new("CMYK", (20, 20), 0)],
    ],
)
def test_one_picture_may_be_an_array_or_of_pillow(pictures):
    (one,) = predict(brightness_model(), pictures)
    assert (one.name, one.class_name) == ("0", "2")


def test_the_bytes_of_a_file_are_a_picture():
    data = io.BytesIO()
    Image.new("L", (5, 5), 255).save(data, "PNG")
    assert called(predict(brightness_model(), [data.getvalue()])) == ["2"]


def test_a_photo_is_turned_upright_before_it_is_looked_at():
    picture = Image.new("L", (8, 8), 0)
    picture.paste(255, (0, 0, 8, 4))  # the upper half is bright
    exif = Image.Exif()
    exif[0x0112] = 3  # ... but the camera was held upside down
    data = io.BytesIO()
    picture.save(data, "PNG", exif=exif)
    kernel = np.zeros((64, 2))
    kernel[:32, 0] = kernel[32:, 1] = 1  # which half is brighter?
    model = dn.Sequential([layers.Input((8, 8, 1)), layers.Flatten()])
    model.add(layers.Dense(2, use_bias=False))
    model.set_weights([kernel])
    assert called(predict(model, [data.getvalue()])) == ["1"]
    assert called(predict(model, Image.open(data))) == ["1"]


def test_what_cannot_be_read_is_an_error_or_told(tmp_path):
    write_picture(tmp_path / "good.png", 255)
    (tmp_path / "empty.png").touch()
    (tmp_path / "text.png").write_text("no picture", encoding="utf-8")
    with pytest.raises(PictureError, match=r"empty.png cannot be read: it is empty"):
        predict(brightness_model(), tmp_path)
    skipped, told = [], []
    found = predict(
        brightness_model(),
        [tmp_path, tmp_path / "missing.png"],
        skipped=skipped.append,
        progress=lambda *done: told.append(done),
    )
    assert called(found) == ["2"]
    assert [one.name.rsplit(os.sep)[-1] for one in skipped] == [
        *("empty.png", "text.png", "missing.png")
    ]
    assert told == [(0, 4), (4, 4)]


def test_damaged_metadata_warns_nobody(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 1
    Image.new("L", (9, 9), 255).save(tmp_path / "a.jpg", exif=exif)
    data = bytearray((tmp_path / "a.jpg").read_bytes())
    place = data.index(b"Exif\0\0") + 8
    data[place + 10 : place + 14] = b"\xff\xff\xff\xff"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert called(predict(brightness_model(), [bytes(data)])) == ["2"]


def test_folders_are_read_in_natural_order_with_all_below_them(tmp_path):
    for name in ("b10.png", "b2.png", "a/deep/x.JPG", ".hidden.png", ".git/y.png"):
        write_picture(tmp_path / name, 0)
    (tmp_path / "notes.txt").write_text("x", encoding="utf-8")
    found = list(list_pictures(tmp_path, pytest.fail))
    assert [one.place for one in found] == ["a/deep/x.JPG", "b2.png", "b10.png"]
    assert found[0].name == str(tmp_path / "a" / "deep" / "x.JPG")


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_a_loop_of_links_has_an_end(tmp_path):
    write_picture(tmp_path / "a" / "1.png", 0)
    (tmp_path / "a" / "back").symlink_to(tmp_path)
    (tmp_path / "a" / "same").symlink_to(tmp_path / "a")
    (tmp_path / "other").symlink_to(tmp_path / "a")
    assert len(list(list_pictures(tmp_path, pytest.fail))) == 1


@pytest.mark.skipif(os.name == "nt", reason="such names are not allowed there")
@pytest.mark.parametrize("name", ["a b.png", 'q"uote\n.png', "é😀.png", "b\udce9.png"])
def test_odd_file_names_are_no_obstacle(tmp_path, name):
    try:
        write_picture(tmp_path / name, 255)
    except OSError:
        pytest.skip("the file system does not take it")
    assert called(predict(brightness_model(), tmp_path)) == ["2"]


def test_what_is_no_picture_at_all_is_refused():
    with pytest.raises(ArgumentError, match="received int"):
        predict(brightness_model(), 5)
    with pytest.raises(PictureError):
        predict(brightness_model(), np.zeros((8, 8)))  # floats have no fixed range


def test_names_that_are_taken_get_a_number():
    taken = set()
    names = [free_name(place, ".png", taken) for place in ("a", "A", "a", "b/a")]
    assert names == ["a.png", "A (2).png", "a (3).png", "b/a.png"]
    long = [free_name("b/" + "x" * 255, ".png", taken) for _ in range(2)]
    assert max(map(len, long)) < 255
    assert long[0] != long[1]


# --- the classifier


def test_a_file_of_its_own_has_numbers_for_names(tmp_path):
    brightness_model((8, 8, 3)).save(tmp_path / "mine.keras")
    classifier = open_classifier(tmp_path / "mine.keras")
    assert classifier.class_names == ("0", "1", "2")
    assert (classifier.shape, classifier.named) == ((8, 8, 3), False)
    assert open_classifier(classifier) is classifier


def test_a_file_with_labels_beside_it_has_names(tmp_path):
    run = write_run(tmp_path / "run")
    classifier = open_classifier(run / "model.keras")
    assert (classifier.class_names, classifier.named) == (NAMES, True)
    assert open_classifier(str(run)).class_names == NAMES


def test_grey_pictures_without_a_channel_and_unknown_sizes(tmp_path):
    flat = [layers.Flatten(), layers.Dense(2, activation="softmax")]
    grey = dn.Sequential([layers.Input((8, 6)), *flat])
    assert open_classifier(grey).shape == (8, 6, 1)
    assert len(predict(grey, np.zeros((3, 8, 6), np.uint8))) == 3
    pool = [layers.GlobalAveragePooling2D(), layers.Dense(1, activation="sigmoid")]
    any_size = dn.Sequential([layers.Input((None, None, 3)), *pool])
    with pytest.raises(DataError, match=r'"shape": \[height, width'):
        open_classifier(any_size)
    any_size.save(tmp_path / "model.keras")
    (tmp_path / "labels.json").write_text(
        '{"class_names": ["no", "yes"], "shape": [5, 7, 3]}', encoding="utf-8"
    )
    assert open_classifier(tmp_path).shape == (5, 7, 3)
    assert called(predict(tmp_path, np.full((4, 4), 9, np.uint8)))[0] in ("no", "yes")


def test_a_run_in_memory_is_a_classifier():
    class Run:
        model = brightness_model()
        metrics = {"class_names": list(NAMES)}  # noqa: RUF012 - read only

    assert called(predict(Run(), np.zeros((8, 8), np.uint8))) == ["dark"]


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ('{"class_names": ["a", "b"]}', "tells 3 classes apart, and its labels name 2"),
        ('{"class_names": ["a", "b", "a"]}', "names two classes alike"),
        ('{"class_names": "abc"}', 'needs "class_names"'),
        ('{"class_names": [1, 2, 3]}', 'needs "class_names"'),
        ('{"class_names": ["a", "b", "c"], "shape": [8, 8]}', 'needs "shape"'),
        ('{"class_names": ["a", "b", "c"], "shape": [9, 8, 1]}', "do not belong"),
        ("{", "cannot be read"),
        ("[]", "should hold an object"),
    ],
)
def test_labels_that_do_not_fit_are_one_sentence(tmp_path, labels, words):
    run = write_run(tmp_path)
    (run / "labels.json").write_text(labels, encoding="utf-8")
    with pytest.raises(DataError, match=words.replace("[", r"\[")):
        open_classifier(run)


def test_what_is_no_classifier_is_said(tmp_path):
    with pytest.raises(DataNotFoundError, match="There is no model"):
        open_classifier(tmp_path / "none")
    with pytest.raises(DataNotFoundError, match=r"holds no model\.keras"):
        open_classifier(tmp_path)
    (tmp_path / "unfinished").mkdir()
    with pytest.raises(DataNotFoundError, match="was cut off"):
        open_classifier(tmp_path)
    (tmp_path / "model.keras").write_bytes(b"no model")
    with pytest.raises(SavingError):
        open_classifier(tmp_path)
    flat = dn.Sequential([layers.Input((12,)), layers.Dense(3)])
    with pytest.raises(DataError, match="and no pictures"):
        open_classifier(flat)
    maps = dn.Sequential([layers.Input((8, 8, 1)), layers.Conv2D(2, 3)])
    with pytest.raises(DataError, match="no classifier"):
        open_classifier(maps)
    two = dn.Sequential([layers.Input((8, 8, 2)), layers.Flatten(), layers.Dense(2)])
    with pytest.raises(DataError, match="takes pictures of shape"):
        open_classifier(two)


# --- explanations


def test_an_explanation_has_a_tile_for_each_method():
    x = np.zeros((8, 8, 1), np.uint8)
    x[2:4, 5:7] = 255
    drawn = explain(brightness_model(), x, 2)
    assert drawn.shape == (224, 3 * 224 + 2 * 8, 3)
    np.testing.assert_array_equal(
        drawn[:, :224, 0], x[..., 0].repeat(28, 0).repeat(28, 1)
    )
    colour = np.ptp(drawn[:, 232:456].astype(int), axis=-1)  # Grad-CAM's
    row, column = np.unravel_index(colour.argmax(), colour.shape)
    assert 2 * 28 <= row < 4 * 28
    assert 5 * 28 <= column < 7 * 28
    wide = explain(
        Classifier(brightness_model((4, 300, 3)), NAMES, (4, 300, 3)).model,
        np.zeros((4, 300, 3), np.uint8),
        0,
    )
    assert wide.shape == (4, 3 * 300 + 16, 3)


def test_explanations_of_equal_names_do_not_overwrite_one_another(tmp_path):
    folder = ExplanationFolder(tmp_path / "new" / "why", brightness_model())
    x = np.zeros((8, 8, 1), np.uint8)
    paths = [folder.add("sub/a.jpg", x, 0) for _ in range(2)]
    assert [path.name for path in paths] == ["a.png", "a (2).png"]
    with Image.open(paths[1]) as picture:
        assert (picture.size, picture.mode) == ((688, 224), "RGB")


def test_explanations_are_called_like_their_pictures_unless_two_would_be_alike(
    tmp_path,
):
    x = np.zeros((8, 8, 1), np.uint8)
    places = ["a.png", "b.jpg", "b.PNG", "sub/b.png", "v1.2", "c.tar.webp"]
    for _ in range(2):  # the second time the files are replaced
        folder = ExplanationFolder(tmp_path / "why", brightness_model(), places)
        for place in places:
            folder.add(place, x, 0)
        found = [path for path in (tmp_path / "why").rglob("*") if path.is_file()]
        assert {path.relative_to(tmp_path / "why").as_posix() for path in found} == {
            "a.png",
            "b.jpg.png",
            "b.PNG.png",
            "sub/b.png",
            "v1.2.png",
            "c.tar.png",
        }


def test_explanations_beside_the_pictures_do_not_replace_any(tmp_path):
    names = ("a.png", "b.png", "b.jpg.png")
    for name in names:
        write_picture(tmp_path / name, 7)
    before = [(tmp_path / name).read_bytes() for name in names]
    x = np.zeros((8, 8, 1), np.uint8)
    for _ in range(2):
        folder = ExplanationFolder(tmp_path, brightness_model(), ["a.png", "b.jpg"])
        assert folder.add("a.png", x, 0).name == "a.png.png"
        assert folder.add("b.jpg", x, 0).name == "b.jpg (2).png"
    assert [(tmp_path / name).read_bytes() for name in names] == before


@pytest.mark.parametrize("place", ["sub/a.jpg", "sub/deeper/a.jpg"])
def test_a_file_where_a_folder_of_explanations_should_go(tmp_path, place):
    folder = ExplanationFolder(tmp_path, brightness_model(), [place])
    (tmp_path / "sub").write_text("mine", encoding="utf-8")
    with pytest.raises(SavingError, match="cannot be made"):
        folder.add(place, np.zeros((8, 8, 1), np.uint8), 0)
    assert (tmp_path / "sub").read_text(encoding="utf-8") == "mine"


def test_a_folder_that_is_called_like_an_explanation_stays(tmp_path):
    (tmp_path / "a.png").mkdir()
    folder = ExplanationFolder(tmp_path, brightness_model(), ["a.jpg"])
    path = folder.add("a.jpg", np.zeros((8, 8, 1), np.uint8), 0)
    assert path.name == "a.jpg.png"
    assert (tmp_path / "a.png").is_dir()


def test_a_file_where_explanations_should_go(tmp_path):
    (tmp_path / "why").write_text("mine", encoding="utf-8")
    with pytest.raises(SavingError, match="cannot be made"):
        ExplanationFolder(tmp_path / "why", brightness_model())
