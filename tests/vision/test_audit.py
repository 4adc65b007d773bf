import json
from dataclasses import replace

import numpy as np
import pytest

from deepneuron.data import load_digits, load_fashion
from deepneuron.data.collection import Skipped
from deepneuron.vision.audit import audit
from deepneuron.vision.channels import find_channels
from tests.vision.stores import make_store, random_pictures

CATS, DOGS = ("cats", "dogs")


def pets(rows=120, part=None, **more):
    """Cats and dogs by turns, and nothing wrong with them."""
    y = np.arange(rows) % 2
    return make_store(random_pictures(rows), y, part, class_names=(CATS, DOGS), **more)


def changed(store, **facts):
    return replace(store, facts=replace(store.facts, **facts))


def found(store):
    return {finding.code: finding for finding in audit(store).findings}


def only(store, code):
    """The one finding there should be."""
    findings = found(store)
    assert list(findings) == [code]
    return findings[code]


def int32(values):
    return np.asarray(values, np.int32)


# --- nothing wrong


@pytest.mark.parametrize("load", [load_digits, load_fashion])
def test_embedded_sets_raise_no_warning(load):
    (x, y), (x_test, y_test) = load()
    part = [0] * len(y) + [2] * len(y_test)
    x, y = np.concatenate([x, x_test]), np.concatenate([y, y_test])
    store = make_store(x * (255 // x.max()), y, part)
    assert {code for code in found(store) if not code.startswith("near")} == set()


def test_silence_when_nothing_is_wrong():
    result = audit(pets(part=[0] * 80 + [1] * 20 + [2] * 20))
    assert result.findings == ()
    assert result.summary() == [
        "120 pictures of 2 classes (80 train, 20 validation, 20 test), 16 x 16 grey",
        "Nothing was found that needs attention.",
    ]


def test_pictures_that_are_not_split_yet_have_no_parts_to_count():
    first, *_ = audit(pets()).summary()
    assert first == "120 pictures of 2 classes, 16 x 16 grey"


@pytest.mark.parametrize("classes", [2, 3, 5])
@pytest.mark.parametrize("rows", [10, 18, 30, 60, 300])
def test_chance_is_no_leak(classes, rows):
    for seed in range(20):
        assert find_channels(store_by_chance(seed, classes, rows)) == []


def store_by_chance(seed, classes, rows):
    """Facts about files that have nothing to do with the labels."""
    random = np.random.Generator(np.random.Philox(key=seed))
    return make_store(
        np.zeros((rows, 2, 2)),
        random.choice(classes, rows, p=random.dirichlet(np.full(classes, 3))),
        class_names=[str(i) for i in range(classes)],
        width=int32(random.choice([320, 480, 640], rows)),
        height=int32(random.choice([320, 480, 640], rows)),
        size=random.lognormal(10, 1, rows).astype(np.int64),
        mode=random.integers(0, 2, rows, np.uint8),
        format=random.integers(0, 2, rows, np.uint8),
        modes=("L", "RGB"),
        formats=("PNG", "JPEG"),
    )


def test_a_tendency_is_no_leak():
    """Two of three cats are wide, two of three dogs high: that is how they are."""
    random = np.random.Generator(np.random.Philox(key=2))
    store = pets(600)
    wide = random.random(600) < np.where(store.y == 0, 2 / 3, 1 / 3)
    sizes = np.where(wide, 640, 480), np.where(wide, 480, 640)
    store = changed(store, width=int32(sizes[0]), height=int32(sizes[1]))
    assert find_channels(store) == []


# --- leaks


def test_a_format_for_each_class():
    store = pets(formats=("PNG", "JPEG"), format=(np.arange(120) % 2).astype(np.uint8))
    sentence = only(store, "leak_file_format").sentence
    assert "tells the class of 100% of the pictures (the largest class is 50%)" in (
        sentence
    )
    assert '"cats" is PNG (100% of it) and "dogs" is JPEG (100% of it)' in sentence


def test_one_class_of_many_in_another_mode():
    y = np.arange(400) % 10
    mode = (y == 3).astype(np.uint8)
    mode[:10] ^= 1
    mode[:10] = 0
    store = make_store(random_pictures(400), y, modes=("RGB", "L"), mode=mode)
    sentence = only(store, "leak_colour_mode").sentence
    assert '"class 3" is L (97.5% of it)' in sentence
    assert '"class 4"' not in sentence


def test_one_class_in_one_size():
    random = np.random.Generator(np.random.Philox(key=8))
    store = pets(200)
    cats = store.y == 0
    store = changed(
        store,
        width=int32(np.where(cats, 640, random.integers(300, 900, 200))),
        height=int32(np.where(cats, 480, random.integers(300, 900, 200))),
    )
    finding = found(store)["leak_picture_size"]
    assert '"cats" is 640 x 480 (100% of it)' in finding.sentence


def test_a_class_of_larger_pictures_and_files():
    random = np.random.Generator(np.random.Philox(key=9))
    store = pets(200)
    side = np.where(store.y == 0, 1, 4) * random.integers(200, 300, 200)
    size = (side**2 / random.uniform(8, 12, 200)).astype(np.int64)
    by_size = changed(store, size=size)
    assert "leak_file_size" in found(by_size)
    both = changed(by_size, width=int32(side), height=int32(side))
    findings = found(both)
    assert "leak_picture_size" in findings
    assert "leak_file_size" not in findings  # it follows from the size of the picture


def test_a_class_of_wide_pictures():
    random = np.random.Generator(np.random.Philox(key=10))
    store = pets(200)
    long, short = random.integers(600, 2000, 200), random.uniform(0.5, 0.7, 200)
    wide = store.y == 0
    store = changed(
        store,
        width=int32(np.where(wide, long, long * short)),
        height=int32(np.where(wide, long * short, long)),
    )
    assert "times as wide as high" in only(store, "leak_aspect_ratio").sentence


# --- duplicates


def test_copies_are_told_apart_by_where_they_are():
    x = random_pictures(120)
    x[2], x[5] = x[0], x[1]  # within the training part
    x[100] = x[4]  # a test picture that is learned
    x[11] = x[8]  # a cat that is called a dog
    store = make_store(
        x, np.arange(120) % 2, [0] * 80 + [2] * 40, class_names=(CATS, DOGS)
    )
    findings = found(store)
    assert set(findings) == {"contradicting_copies", "copies", "copies_across"}
    assert '"train 8" as "cats" and "train 11" as "dogs"' in (
        findings["contradicting_copies"].sentence
    )
    assert findings["contradicting_copies"].rows == (8, 11)
    assert findings["copies"].sentence.startswith("2 pictures are there once more")
    assert findings["copies_across"].sentence.startswith(
        "1 picture of the test part (2.5%) is an exact copy of pictures in another "
        'part, such as "test 100" and "train 4": '
    )
    assert findings["copies_across"].rows == (100,)
    assert "flattered" in findings["copies_across"].sentence


def test_near_copies_have_findings_of_their_own():
    x = random_pictures(120, channels=3)
    softer = (x * 0.9 + 10).astype(np.uint8)
    x[2], x[100], x[11] = softer[0], softer[4], softer[8]
    store = make_store(x, np.arange(120) % 2, [0] * 80 + [2] * 40)
    findings = found(store)
    assert set(findings) == {
        "near_copies",
        "near_copies_across",
        "contradicting_near_copies",
    }
    assert findings["near_copies"].rows == (0, 2)
    assert findings["near_copies_across"].rows == (100,)
    assert findings["contradicting_near_copies"].rows == (8, 11)


# --- counts


def test_few_pictures_are_named():
    y = [0] * 40 + [1] * 30 + [2] * 12
    findings = found(make_store(random_pictures(82), y))
    assert set(findings) == {"few", "imbalance"}
    assert findings["few"].sentence.startswith(
        '1 class has fewer than 20 pictures: "class 2" (12).'
    )
    assert findings["few"].rows == tuple(range(70, 82))


@pytest.mark.parametrize(
    ("counts", "severity"),
    [((50, 20), None), ((80, 20), "note"), ((400, 21), "warning")],
)
def test_imbalance(counts, severity):
    y = np.repeat([0, 1], counts)
    store = make_store(random_pictures(len(y)), y, class_names=(CATS, DOGS))
    if severity is None:
        assert found(store) == {}
    else:
        finding = only(store, "imbalance")
        assert finding.severity == severity
        assert f"({counts[0]} to {counts[1]})" in finding.sentence


def test_a_part_that_misses_a_class():
    y = np.array([0, 1, 2] * 30 + [0, 1] * 15)
    store = make_store(random_pictures(120), y, [0] * 90 + [2] * 30)
    finding = found(store)["missing_class"]
    assert finding.severity == "warning"
    assert finding.sentence.startswith('The test part has no picture of "class 2"')


def test_a_class_without_training_pictures_is_an_error():
    store = pets(part=[0] * 120)
    store = replace(store, class_names=(CATS, DOGS, "mice"))
    result = audit(store)
    assert result.findings[0].severity == "error"
    assert '"mice"' in result.findings[0].sentence
    assert result.summary()[1].startswith("Error: The train part has no picture")


def test_test_pictures_of_another_mixture():
    y = np.array([0, 1] * 100 + [0] * 80 + [1] * 20)
    store = make_store(random_pictures(300), y, [0] * 200 + [2] * 100)
    sentence = only(store, "unlike_labels").sentence
    assert "80% of the test pictures and 50% of the training" in sentence


def test_test_pictures_of_another_size():
    store = pets(part=[0] * 80 + [2] * 40)
    random = np.random.Generator(np.random.Philox(key=11))
    side = int32(random.integers(200, 400, 120) * np.where(store.part == 2, 2, 1))
    assert only(changed(store, width=side, height=side), "unlike_sizes")


def test_constant_pictures_and_files_passed_over():
    x = random_pictures(60)
    x[7] = 9
    store = make_store(
        x, np.arange(60) % 2, skipped=[Skipped("a\n.png", "it is empty (0 bytes)")]
    )
    findings = found(store)
    assert set(findings) == {"constant", "unreadable"}
    assert findings["constant"].rows == (7,)
    assert r'1 file was passed over: "a\n.png" (it is empty' in (
        findings["unreadable"].sentence
    )
    assert all(line.isprintable() for line in audit(store).summary())


# --- what the report reads


def test_plain_data_for_the_report():
    x = random_pictures(60, channels=3)
    x[1], x[3] = x[5], 0
    facts = {"width": int32([640] * 40 + [320] * 20), "height": int32([480] * 60)}
    part = [0] * 40 + [2] * 20
    store = make_store(
        x, np.arange(60) % 2, part, (CATS, DOGS), skipped=[Skipped("x", "y")], **facts
    )
    data = audit(store).to_json()
    assert json.loads(json.dumps(data)) == data
    assert data["pictures"] == 60
    assert data["shape"] == [16, 16, 3]
    assert data["parts"] == {"train": 40, "test": 20}
    assert data["classes"][1] == {
        "name": DOGS,
        "train": 20,
        "validation": 0,
        "test": 10,
    }
    assert data["sizes"] == [
        {"width": 640, "height": 480, "count": 40},
        {"width": 320, "height": 480, "count": 20},
    ]
    assert data["size_quantiles"]["width"]["half"] == 640
    assert data["modes"] == {"RGB": 60}
    assert data["formats"] == {"array": 60}
    assert data["skipped"] == [{"name": "x", "reason": "y", "harmless": False}]
    assert data["duplicates"]["exact_groups"] == 1
    assert data["duplicates"]["exact_pictures"] == 2
    assert data["duplicates"]["exact"][0][0] == {
        "row": 1,
        "name": "train 1",
        "class": DOGS,
        "part": "train",
    }
    assert data["constant"][0]["row"] == 3
    assert {finding["code"] for finding in data["findings"]} >= {"constant", "copies"}


def test_long_lists_are_cut_and_counted():
    store = make_store(np.zeros((3000, 4, 4)), np.arange(3000) % 2)
    data = audit(store).to_json()
    assert data["constant_count"] == 3000
    assert len(data["constant"]) == 200
    assert data["duplicates"]["exact_pictures"] == 3000
    assert len(data["duplicates"]["exact"][0]) == 20
    assert len(json.dumps(data)) < 100_000


def test_an_empty_store_is_audited_all_the_same():
    store = make_store(np.zeros((0, 4, 4, 1)), [], class_names=(CATS, DOGS))
    result = audit(store)
    assert [finding.code for finding in result.findings] == ["missing_class"]
    assert json.dumps(result.to_json())
