"""Files that are not what they should be, and models that no file can hold."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

import deepneuron as dn
from deepneuron.errors import DeepneuronError, NotBuiltError, SavingError
from deepneuron.saving import load_model, save_model


def net():
    return dn.Sequential(
        [
            dn.Input((4,)),
            dn.layers.Dense(3, activation="relu", name="hidden"),
            dn.layers.BatchNormalization(),
            dn.layers.Dense(2, name="out"),
        ]
    )


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "m.keras"
    model = net()
    model.compile("adam", "mse", metrics=["mae"])
    # One step, after which the optimizer has its slots.
    model.train_on_batch(np.ones((2, 4)), np.ones((2, 2)))
    model.save(path)
    return path


def members(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def write(path, content):
    with zipfile.ZipFile(path, "w") as archive:
        for name, value in content.items():
            archive.writestr(name, value)


def change(path, edit):
    """Edit the configuration within a file."""
    content = members(path)
    config = json.loads(content["config.json"])
    edit(config)
    write(path, {**content, "config.json": json.dumps(config)})


def refused(path, match, **kwargs):
    with pytest.raises(SavingError, match=match):
        load_model(path, **kwargs)


# --- loading


def test_the_same_model_comes_back(path):
    model = load_model(path)
    assert model.compiled
    again = path.with_name("n.keras")
    model.save(again)
    ours, theirs = members(path), members(again)
    assert ours["config.json"] == theirs["config.json"]
    assert ours["model.weights.h5"] == theirs["model.weights.h5"]


@pytest.mark.parametrize(
    ("name", "match"),
    [
        ("no.keras", "There is no file"),
        ("no", "Nor is there such a file"),
        ("old.h5", "legacy format"),
        ("old.weights.h5", "model.load_weights"),
    ],
)
def test_other_names(tmp_path, name, match):
    refused(tmp_path / name, match)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[]", "does not describe a model"),
        (b'{"class_name": "Dense"}', "does not describe a model"),
        (b'{"class_name": "Dense", "config": {"units": 1}}', "describes a Dense"),
        (b'{"class_name": 3, "config": {}}', "m.keras"),
        (b'{"class_name": "function", "config": "relu"}', "m.keras"),
        (b'{"class_name": "Sequential", "config": []}', "m.keras"),
        (b'{"class_name": "Sequential", "config": {"layers": [7]}}', "m.keras"),
    ],
)
def test_descriptions_of_no_model(path, text, match):
    write(path, {**members(path), "config.json": text})
    refused(path, match)


def test_unknown_class_offers_the_nearest_and_custom_objects(path):
    def edit(config):
        config["config"]["layers"][1]["class_name"] = "Densee"

    change(path, edit)
    refused(path, "'Densee'.*'Dense'.*custom_objects")


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("os", "system"),
        ("builtins", "eval"),
        ("subprocess", "Popen"),
        ("posix", "system"),
        ("evil_module_that_is_not_there", "Layer2"),
    ],
)
def test_nothing_is_imported_or_called_by_name(
    path, tmp_path, monkeypatch, module, name
):
    (tmp_path / "evil_module_that_is_not_there.py").write_text("raise SystemExit(9)")
    monkeypatch.syspath_prepend(tmp_path)
    touched = tmp_path / "touched"

    def edit(config):
        config["config"]["layers"][1].update(
            {
                "module": module,
                "class_name": name,
                "registered_name": f"{module}>{name}",
                "config": {"command": f"touch {touched}", "args": str(touched)},
            }
        )
        config["config"]["layers"][-1]["config"]["activation"] = {
            "module": module,
            "class_name": "function",
            "config": name,
            "registered_name": name,
        }

    change(path, edit)
    refused(path, "Unknown")
    assert not touched.exists()


def test_lambda_is_refused(path):
    def edit(config):
        config["config"]["layers"][1]["config"]["activation"] = {
            "class_name": "__lambda__",
            "config": {"code": "4wEAAAA=", "defaults": None, "closure": None},
        }

    change(path, edit)
    for safe_mode in (True, False):
        refused(path, "never runs", safe_mode=safe_mode)


def test_weights_of_other_shapes_name_the_layer_and_both_shapes(path):
    def edit(config):
        config["config"]["layers"][-1]["config"]["units"] = 5

    change(path, edit)
    refused(path, r"Layer 'out' \(Dense\).*\(3, 5\).*\(3, 2\)", compile=False)


def test_weights_of_another_model(path, tmp_path):
    other = dn.Sequential(
        [dn.Input((4,)), dn.layers.Flatten(), dn.layers.Embedding(3, 2)]
    )
    other.save(tmp_path / "n.keras")
    content = members(tmp_path / "n.keras")
    write(path, {**members(path), "model.weights.h5": content["model.weights.h5"]})
    refused(path, r"Layer 'hidden'.*2 weights of its own, the file holds 0")


def test_no_weights_of_this_model_at_all(path, tmp_path):
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["something"] = [1.0]
    content = (tmp_path / "x.h5").read_bytes()
    write(path, {**members(path), "model.weights.h5": content})
    refused(path, "holds none of the weights")


def test_what_compile_needs_is_missing(path):
    def edit(config):
        config["compile_config"]["loss"] = "my_loss"

    change(path, edit)
    refused(path, "cannot be compiled as it was.*my_loss.*custom_objects")
    assert not load_model(path, compile=False).compiled


def test_custom_objects_by_argument_and_by_scope(tmp_path):
    class Twice(dn.Layer):
        def call(self, x):
            return 2 * x

    path = tmp_path / "m.keras"
    dn.Sequential([dn.Input((2,)), Twice()]).save(path)
    refused(path, "Unknown.*'Twice'.*custom_objects")
    x = np.ones((1, 2), np.float32)
    loaded = load_model(path, custom_objects={"Twice": Twice})
    np.testing.assert_array_equal(loaded.predict(x, verbose=0), 2 * x)
    with dn.saving.custom_object_scope({"Twice": Twice}):
        assert load_model(path).count_params() == 0
    refused(path, "Unknown")


# --- saving


@pytest.mark.parametrize("name", ["m.h5", "m", "m.hdf5", "m.weights.h5", "m.keras.zip"])
def test_wrong_extension(tmp_path, name):
    with pytest.raises(SavingError, match=r"ends in '\.keras'"):
        net().save(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_model(tmp_path):
    with pytest.raises(SavingError, match="takes a model; it received a Dense"):
        save_model(dn.layers.Dense(1), tmp_path / "m.keras")


def test_unknown_options(tmp_path):
    with pytest.raises(SavingError, match="save_model does not know 'colour'"):
        save_model(net(), tmp_path / "m.keras", colour="red")
    with pytest.raises(SavingError, match="zipped=False"):
        save_model(net(), tmp_path / "m.keras", zipped=False)


def test_overwrite_false_never_waits_for_an_answer(path):
    before = path.read_bytes()
    with pytest.raises(SavingError, match="exists, and overwrite is False"):
        net().save(path, overwrite=False)
    assert path.read_bytes() == before
    net().save(path.with_name("n.keras"), overwrite=False)


@pytest.mark.parametrize(("answers", "replaced"), [(["?", "y"], True), (["n"], False)])
def test_overwrite_false_asks_on_a_terminal(path, monkeypatch, answers, replaced):
    before = path.read_bytes()
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda _: answers.pop(0))
    dn.Sequential([dn.Input((9,)), dn.layers.Dense(9)]).save(path, overwrite=False)
    assert (path.read_bytes() != before) is replaced


def test_a_failing_get_config_leaves_the_old_file(path):
    class Broken(dn.Layer):
        def get_config(self):
            raise RuntimeError("broken on purpose")

        def call(self, x):
            return x

    before = path.read_bytes()
    with pytest.raises(RuntimeError, match="on purpose"):
        dn.Sequential([dn.Input((2,)), Broken()]).save(path)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_a_full_disk_leaves_the_old_file(path, monkeypatch):
    before = path.read_bytes()

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SavingError, match="No space left"):
        net().save(path)
    monkeypatch.undo()
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_lambda_cannot_be_saved(path):
    before = path.read_bytes()
    model = dn.Sequential([dn.Input((2,)), dn.layers.Dense(1, activation=lambda x: x)])
    with pytest.raises(SavingError, match="lambda cannot be saved"):
        model.save(path)
    assert path.read_bytes() == before


def test_an_unbuilt_model_is_saved_with_a_warning(tmp_path):
    model = dn.Sequential([dn.layers.Dense(2)])
    with pytest.warns(UserWarning, match="has not been built"):
        model.save(tmp_path / "m.keras")
    assert not load_model(tmp_path / "m.keras").built


# --- weights alone


def test_weights_file_errors(tmp_path):
    model = net()
    with pytest.raises(SavingError, match=r"ends in '\.weights\.h5'"):
        model.save_weights(tmp_path / "m.h5")
    with pytest.raises(SavingError, match="There is no file"):
        model.load_weights(tmp_path / "no.weights.h5")
    with pytest.raises(SavingError, match="reads"):
        model.load_weights(tmp_path / "m.h5")
    with pytest.raises(SavingError, match="does not know 'by_name'"):
        model.load_weights(tmp_path / "m.weights.h5", by_name=True)
    unbuilt = dn.Sequential([dn.layers.Dense(2)])
    with pytest.raises(NotBuiltError, match="has no weights yet"):
        unbuilt.save_weights(tmp_path / "m.weights.h5")
    (tmp_path / "bad.weights.h5").write_bytes(b"no")
    with pytest.raises(SavingError, match="damaged"):
        model.load_weights(tmp_path / "bad.weights.h5")


def test_a_failed_load_changes_nothing(tmp_path):
    def make(classes):
        return dn.Sequential(
            [dn.Input((4,)), dn.layers.Dense(3), dn.layers.Dense(classes)]
        )

    make(2).save_weights(tmp_path / "m.weights.h5")
    model = make(5)
    before = model.get_weights()
    with pytest.raises(SavingError, match=r"\(3, 5\).*\(3, 2\)"):
        model.load_weights(tmp_path / "m.weights.h5")
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


# --- mutations: an error of ours, or a model; nothing else

TEXTS = ["null", "-1", "[]", "{}", '"x"', "1e999", "true", '"linear"', "3", "[[[]]]"]


def mutated_config(text: str, rng: np.random.Generator) -> str:
    """One value of the configuration replaced, moved or taken out."""
    config = json.loads(text)
    places = []

    def visit(value):
        if isinstance(value, (dict, list)):
            for key in value if isinstance(value, dict) else range(len(value)):
                places.append((value, key))
                visit(value[key])

    visit(config)
    for _ in range(rng.integers(1, 3)):
        holder, key = places[rng.integers(len(places))]
        other, other_key = places[rng.integers(len(places))]
        kind = rng.integers(4)
        try:
            if kind == 0:
                del holder[key]
            elif kind == 1:
                holder[key] = json.loads(TEXTS[rng.integers(len(TEXTS))])
            elif kind == 2:
                holder[key] = json.loads(json.dumps(other[other_key]))
            elif isinstance(holder, dict):
                holder[f"{key}x"] = holder.pop(key)
        except (KeyError, IndexError):  # it went with what was taken out before
            continue
    return json.dumps(config)


def mutated_bytes(content: bytes, rng: np.random.Generator) -> bytes:
    changed = bytearray(content)
    if rng.integers(4) == 0:
        return bytes(changed[: rng.integers(len(content))])
    for _ in range(rng.integers(1, 5)):
        changed[rng.integers(len(content))] = rng.integers(256)
    return bytes(changed)


def check_mutations(path: Path, seed: int, times: int) -> None:
    rng = np.random.default_rng(seed)
    original, content = path.read_bytes(), members(path)
    x = np.zeros((2, 4), np.float32)
    for i in range(times):
        kind = i % 3
        if kind == 0:
            path.write_bytes(mutated_bytes(original, rng))
        elif kind == 1:
            text = mutated_config(content["config.json"].decode(), rng)
            write(path, {**content, "config.json": text})
        else:
            weights = mutated_bytes(content["model.weights.h5"], rng)
            write(path, {**content, "model.weights.h5": weights})
        try:
            model = load_model(path)
        except DeepneuronError:
            continue
        if kind != 1:
            model.predict(x, verbose=0)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_mutated_files(path):
    check_mutations(path, 0, 300)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_many_mutated_files(path):
    check_mutations(path, 1, 6000)


def test_a_program_that_has_imported_nothing_opens_a_file(tmp_path):
    inputs = dn.Input((3,))
    outputs = dn.layers.Dense(2, kernel_initializer="he_normal")(inputs)
    model = dn.Model(inputs, outputs)
    model.compile(dn.optimizers.Adam(0.01), loss=dn.losses.Huber(), metrics=["mse"])
    model.save(tmp_path / "model.keras")
    code = (
        "import sys, deepneuron as dn\n"
        f"model = dn.saving.load_model({str(tmp_path / 'model.keras')!r})\n"
        "print(model.count_params(), type(model).__name__, model.loss.name)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    assert done.stdout == "8 Functional huber_loss\n"
