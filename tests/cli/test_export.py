"""`deepneuron export`, on run folders and on files."""

from __future__ import annotations

import json

import numpy as np
import onnx
import pytest
from click.testing import CliRunner

import deepneuron as dn
from deepneuron import layers
from deepneuron.cli.export import export
from deepneuron.errors import DeepneuronError
from deepneuron.models import load_model
from deepneuron.saving.onnx_check import difference, session

NAMES = ["Löwe", 'the "cat"', "日本"]


@pytest.fixture
def network():
    model = dn.Sequential(
        [
            dn.Input((6, 6, 1)),
            layers.Rescaling(1 / 255),
            layers.Conv2D(2, 3, activation="relu"),
            layers.Flatten(),
            layers.Dense(3, activation="softmax", name="classes"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(np.zeros((2, 6, 6, 1)), np.zeros(2), verbose=0)
    return model


@pytest.fixture
def run_folder(network, tmp_path):
    folder = tmp_path / "runs with space"
    folder.mkdir()
    network.save(folder / "model.keras")
    labels = {"class_names": NAMES, "shape": [6, 6, 1]}
    (folder / "labels.json").write_text(json.dumps(labels), encoding="utf-8")
    return folder


@pytest.fixture
def called():
    """Runs the command: what it prints; errors of the user are raised."""

    def call(*arguments):
        result = CliRunner().invoke(
            export, [*map(str, arguments)], catch_exceptions=True
        )
        if isinstance(result.exception, DeepneuronError):
            raise result.exception
        return result

    return call


def pixels(count=4):
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (count, 6, 6, 1)).astype("float32")


def test_a_run_folder_becomes_an_onnx_file_beside_its_model(
    run_folder, network, called
):
    result = called(run_folder)
    assert result.exit_code == 0, result.output
    path = run_folder / "model.onnx"
    proto = onnx.load(path)
    told = {prop.key: prop.value for prop in proto.metadata_props}
    assert json.loads(told["class_names"]) == NAMES
    assert told["pixels"] == "float32, from 0 to 255"
    (y,) = session(path.read_bytes())([pixels()])
    assert difference(y, network.predict(pixels(), verbose=0)) < 1e-5
    assert str(path) in result.output
    assert f"{path.stat().st_size / 1000:.1f} kB" in result.output
    assert "float32 (batch, 6, 6, 1)" in result.output
    assert "classes, float32 (batch, 3)" in result.output
    assert "opset 17" in result.output
    (line,) = [x for x in result.output.splitlines() if "difference" in x]
    assert float(line.split()[1]) < 1e-5


def test_a_file_without_labels_is_exported_as_it_is(network, tmp_path, called):
    network.save(tmp_path / "net.keras")
    out = tmp_path / "other.onnx"
    result = called(tmp_path / "net.keras", "--to", "onnx", "--out", out, "--opset", 18)
    assert result.exit_code == 0, result.output
    proto = onnx.load(out)
    assert [prop.key for prop in proto.metadata_props] == ["model"]
    assert proto.opset_import[0].version == 18


def test_what_is_no_classifier_is_exported_too(tmp_path, called):
    x = dn.Input((None, 3))
    model = dn.Model(x, [layers.Dense(2)(x), layers.Activation("relu")(x)])
    model.save(tmp_path / "net.keras")
    result = called(tmp_path / "net.keras")
    assert result.exit_code == 0, result.output
    assert "?" not in result.output
    assert "size_1, 3)" in result.output
    assert (tmp_path / "net.onnx").exists()


def test_grey_pictures_without_a_channel_are_exported(tmp_path, called):
    model = dn.Sequential([dn.Input((6, 6)), layers.Flatten(), layers.Dense(3)])
    model.save(tmp_path / "model.keras")
    labels = {"class_names": NAMES, "shape": [6, 6, 1]}
    (tmp_path / "labels.json").write_text(json.dumps(labels), encoding="utf-8")
    assert called(tmp_path).exit_code == 0
    assert "class_names" in str(onnx.load(tmp_path / "model.onnx").metadata_props)


def test_a_keras_copy_predicts_the_same_and_is_smaller(run_folder, network, called):
    out = run_folder / "copy.keras"
    result = called(run_folder, "--to", "keras", "--out", out)
    assert result.exit_code == 0, result.output
    assert "difference  0.0e+00" in result.output
    assert f"weights     {network.count_params()}" in result.output
    copy = load_model(out)
    x = pixels()
    np.testing.assert_array_equal(
        copy.predict(x, verbose=0), network.predict(x, verbose=0)
    )
    assert out.stat().st_size < (run_folder / "model.keras").stat().st_size


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--to", "keras"], "--to keras needs a name for the copy"),
        (["--to", "tflite"], "'tflite' is not one of 'onnx', 'keras'"),
        (["--out", "net.txt"], "--out names a .onnx file; received 'net.txt'"),
        (["--to", "keras", "--out", "c.keras", "--opset", "18"], "--to onnx only"),
        ([], "Missing argument 'MODEL'"),
    ],
)
def test_wrong_options_are_said(options, sentence, run_folder, called, monkeypatch):
    monkeypatch.chdir(run_folder.parent)
    model = [run_folder] if options else []
    result = called(*model, *options)
    assert result.exit_code == 2
    assert sentence in " ".join(result.output.split())
    assert {p.name for p in run_folder.iterdir()} == {"model.keras", "labels.json"}


def test_the_model_itself_is_never_the_copy(run_folder, called):
    before = (run_folder / "model.keras").read_bytes()
    out = run_folder / ".." / run_folder.name / "model.keras"
    result = called(run_folder, "--to", "keras", "--out", out)
    assert result.exit_code == 2
    assert "--out is the model itself" in result.output
    assert (run_folder / "model.keras").read_bytes() == before


def test_a_model_that_is_not_there_is_said(tmp_path, called):
    for name in ("nowhere", "nowhere.keras"):
        with pytest.raises(DeepneuronError, match=r"There is no model .*nowhere"):
            called(tmp_path / name)
    with pytest.raises(DeepneuronError, match=r"holds no model\.keras"):
        called(tmp_path)
    (tmp_path / "model.keras").write_bytes(b"no archive")
    with pytest.raises(DeepneuronError):
        called(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["model.keras"]


def test_a_folder_that_is_missing_is_said(run_folder, called):
    with pytest.raises(DeepneuronError, match=r"The folder .* is missing"):
        called(run_folder, "--out", run_folder / "no" / "net.onnx")
