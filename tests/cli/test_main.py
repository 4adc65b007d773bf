import json
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from deepneuron._version import __version__
from deepneuron.cli import complete, threads
from deepneuron.cli import train as command
from deepneuron.cli.main import cli, main
from deepneuron.data import EMBEDDED
from deepneuron.vision import folder, job, settings
from deepneuron.vision.networks import NETWORKS

SOURCE = Path(__file__).resolve().parents[2] / "src"
FILES = set(folder.FILES)


def started(*arguments, **kwargs):
    """The command line in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(SOURCE), "PYTHONUNBUFFERED": "1"}
    return subprocess.Popen(
        [sys.executable, "-m", "deepneuron", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        env=environment,
        **kwargs,
    )


def is_one_sentence(text):
    return text.startswith("Error: ") and text.count("\n") == 1 and len(text) < 250


def test_trains_and_says_what_is_where_and_what_is_next(deepneuron, few, tmp_path):
    out = tmp_path / "runs" / "digits"
    code, shown, errors = deepneuron("train", "digits", "--epochs", 2, "--out", out)
    assert (code, errors) == (0, "")
    assert {path.name for path in out.iterdir()} == FILES | {".lock"}
    metrics = json.loads((out / "metrics.json").read_text(encoding="utf-8"))
    assert f"\nTest accuracy {metrics['test']['accuracy']:.4f} (" in shown
    assert f"\nWritten to {out}\n" in shown
    for word in (*FILES, "Try next", f"deepneuron predict {out}"):
        assert word in shown
    assert f"deepneuron report {out} --open" in shown
    assert "\nepoch 2 of 2 had the highest validation accuracy and was kept\n" in shown


def test_says_why_training_ended_early(deepneuron, few, tmp_path):
    code, shown, _ = deepneuron(
        *("train", "digits", "--epochs", 60, "--patience", 1),
        *("--out", tmp_path),
    )
    assert code == 0
    assert "was kept;\n1 epoch without one as high ended the training early\n" in shown


def test_every_option_reaches_the_job(deepneuron, few, tmp_path):
    code, shown, _ = deepneuron(
        *("train", "fashion", "--epochs", 1, "--batch-size", 25, "--seed", 3),
        *("--learning-rate", 0.01, "--model", "linear", "--optimizer", "sgd"),
        *("--augment", "flip,shift=0.05", "--class-weights", "balanced"),
        *("--patience", 3, "--validation", 0.2, "--test", 0.3, "--size", 16),
        *("--strict", "--quiet", "--out", tmp_path),
    )
    assert code == 0
    assert shown.startswith("Test accuracy 0.")
    assert len(shown.splitlines()) == 1
    metrics = json.loads((tmp_path / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["data"] == "fashion"
    found = {name: metrics["settings"][name] for name in CHOICES}
    assert found == CHOICES


CHOICES = {
    "model": "linear",
    "epochs": 1,
    "batch_size": 25,
    "learning_rate": 0.01,
    "optimizer": "sgd",
    "augment": "flip,shift=0.05",
    "class_weights": "balanced",
    "patience": 3,
    "validation": 0.2,
    "test": 0.3,
    "size": 16,
    "strict": True,
    "seed": 3,
}


def test_choices_and_defaults_are_those_of_the_job():
    options = command.train.make_context("train", ["x"]).params
    for name, default in job.train.__kwdefaults__.items():
        assert options[name] == default
    others = {"data", "out", "resume", "modules"}
    assert options.keys() - job.train.__kwdefaults__ == others
    assert command.OPTIMIZERS == settings.OPTIMIZERS
    assert command.CLASS_WEIGHTS == settings.CLASS_WEIGHTS
    assert complete.DATA.keys() == EMBEDDED.keys()
    assert complete.MODELS.keys() == {"auto", *NETWORKS}


@pytest.mark.skipif(os.name == "nt", reason="asks how a POSIX shell reads it")
@pytest.mark.parametrize(
    "name",
    ["runs/a", "my runs/b", "$HOME", "`ls`", "~", 'say "hi"', "it's", "ü", "a\\b"],
)
def test_a_folder_that_is_told_can_be_pasted_into_a_shell(name):
    assert shlex.split(command._shown(Path(name))) == [name]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["trian"], "Unknown command: 'trian'. Did you mean 'train'?"),
        (["train"], "Name your pictures, or a data set that is there: deepneuron tra"),
        (["train", "fasion"], "Did you mean 'fashion'?"),
        (["train", "x/y"], "x/y"),
        (["train", "digits", "--model", "cn"], "Did you mean 'cnn'?"),
        (["train", "digits", "--augment", "flop"], "Did you mean 'flip'?"),
        (["train", "digits", "--augment", "rotate=x"], "rotate takes a number"),
        (["train", "digits", "--validation", "1"], "validation is a share"),
        (["train", "digits", "--test", "0"], "test is a share"),
        (["train", "digits", "--size", "3"], "size must be a whole number, from 8"),
        (["train", "digits", "--threads", "0"], "--threads"),
        (["train", "digits", "--patience", "0"], "patience must be"),
        (["train", "digits", "--optimizer", "adm"], "'adm' is not one of 'adam'"),
        (["train", "digits", "--find-lr", "--learning-rate", "1"], "contradict"),
        (["train", "--resume", "nowhere"], "holds no training to go on with"),
        (["train", "digits", "--resume", "x"], "it takes no DATA"),
        (["train", "--resume", "x", "--epochs", "3"], "it takes no --epochs"),
        (["report", "nowhere"], "holds no results to report on"),
        (["train", "digits", "--epochs", "0"], "epochs must be a whole number, 1 or"),
        (["train", "digits", "--epochs", "ten"], "'ten' is not a valid integer"),
        (["train", "digits", "--epoch", "3"], "--epochs"),
        (["train", "digits", "--batch-size", "0"], "batch_size must be"),
        (["train", "digits", "--learning-rate", "-1"], "learning_rate must be"),
        (["train", "digits", "--seed", "-1"], "seed must be"),
        (["train", "digits", "--out", ""], "out is empty"),
        (["train", "digits", "more"], "unexpected extra argument"),
        (["completion", "cmd"], "'cmd' is not one of 'bash', 'zsh', 'fish'"),
    ],
)
def test_an_error_of_the_user_is_one_sentence_and_two(
    deepneuron, tmp_path, monkeypatch, arguments, words
):
    monkeypatch.chdir(tmp_path)
    code, shown, errors = deepneuron(*arguments)
    assert (code, shown) == (2, "")
    assert is_one_sentence(errors)
    assert words in errors
    assert list(tmp_path.iterdir()) == []


def test_a_file_where_the_folder_should_be(deepneuron, tmp_path):
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    for out in (tmp_path / "file", tmp_path / "file" / "deeper"):
        code, shown, errors = deepneuron("train", "digits", "--out", out)
        assert (code, shown) == (2, "")
        assert is_one_sentence(errors)
        assert "is a file, not a folder" in errors
    assert (tmp_path / "file").read_text(encoding="utf-8") == "mine"


@pytest.mark.skipif(
    os.name == "nt" or getattr(os, "geteuid", lambda: 0)() == 0,
    reason="permissions do not stop this user",
)
def test_a_folder_that_may_not_be_written_to(deepneuron, tmp_path):
    (tmp_path / "closed").mkdir(mode=0o555)
    out = tmp_path / "closed" / "run"
    code, _, errors = deepneuron("train", "digits", "--out", out)
    assert code == 2
    assert is_one_sentence(errors)
    assert "Permission denied" in errors


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"]])
def test_help_of_the_program(deepneuron, arguments):
    code, shown, errors = deepneuron(*arguments)
    assert (code, errors) == (0, "")
    for word in ("deepneuron train digits", "completion", "--version", "Commands:"):
        assert word in shown


def test_help_of_train_has_options_defaults_files_and_examples(deepneuron):
    code, shown, _ = deepneuron("train", "--help")
    assert code == 0
    words = {f"--{name.replace('_', '-')}" for name in job.train.__kwdefaults__}
    words |= {"--out", "--resume", *FILES, *EMBEDDED, "runs/DATA", "Ctrl-C"}
    assert not [word for word in words if word not in shown]
    assert shown.count("default:") >= 8


def test_help_names_the_program_as_it_was_called(deepneuron, monkeypatch):
    assert (
        "python -m deepneuron train "
        in deepneuron("train", "--help", program="python -m deepneuron")[1]
    )
    monkeypatch.setenv("DEEPNEURON_PROGRAM", "python3 start.py")
    assert "there: python3 start.py train digits" in deepneuron("train")[2]


def test_version(deepneuron):
    assert deepneuron("--version") == (0, f"deepneuron, version {__version__}\n", "")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
@pytest.mark.filterwarnings("ignore")  # click's, where no bash is
def test_completion_prints_a_script_for_the_shell(deepneuron, shell):
    code, shown, _ = deepneuron("completion", shell)
    assert code == 0
    assert f"_DEEPNEURON_COMPLETE={shell}_complete" in shown


def test_the_tab_key_completes_data_sets_and_options(deepneuron, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs" / "one").mkdir(parents=True)
    (tmp_path / "runs" / "one" / "config.json").touch()
    monkeypatch.setenv("_DEEPNEURON_COMPLETE", "bash_complete")
    for words, wanted in (
        ("deepneuron tr", "plain,train"),
        ("deepneuron train fa", "plain,fashion"),
        ("deepneuron train fa", "file,fa"),  # the shell goes on with files
        ("deepneuron train digits --ep", "plain,--epochs"),
        ("deepneuron train digits --model resn", "plain,resnet"),
        ("deepneuron train digits --optimizer adamw", "plain,adamw"),
        ("deepneuron report ru", "plain,runs/one"),
        ("deepneuron export --to on", "plain,onnx"),
    ):
        monkeypatch.setenv("COMP_WORDS", words)
        monkeypatch.setenv("COMP_CWORD", str(len(words.split()) - 1))
        assert wanted in deepneuron()[1].splitlines()


def test_help_starts_fast_without_numpy():
    code = (
        "import sys; from deepneuron.cli.main import cli; "
        "print(sorted({'numpy', 'h5py', 'rich', 'matplotlib'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
    )
    assert done.stdout == "[]\n"
    assert set(cli.commands) == {
        *("train", "predict", "evaluate", "report", "export", "completion")
    }


def test_one_thread_multiplies_unless_the_user_chose(monkeypatch):
    for name in threads._VARIABLES:
        monkeypatch.setenv(name, "1")  # so that it is put back in the end
        monkeypatch.delenv(name)
    threads.one_thread()
    assert {os.environ[name] for name in threads._VARIABLES} == {"1"}
    for name in threads._VARIABLES:
        monkeypatch.delenv(name)
    monkeypatch.setenv("OMP_NUM_THREADS", "4")
    threads.one_thread()
    assert os.environ["OMP_NUM_THREADS"] == "4"
    assert "OPENBLAS_NUM_THREADS" not in os.environ
    threads.set_threads(2)
    assert {os.environ[name] for name in threads._VARIABLES} == {"2"}


def test_python_m_deepneuron_is_the_same_program():
    process = started("train", "digit")
    shown, errors = process.communicate(timeout=60)
    assert (process.returncode, shown) == (2, "")
    assert is_one_sentence(errors)


def press_ctrl_c(process, after):
    """Wait for a line that holds this, press Ctrl-C, return (exit code, out, err)."""
    shown = []
    for line in process.stdout:
        shown.append(line)
        if after in line:
            break
    process.send_signal(signal.SIGINT)
    rest, errors = process.communicate(timeout=60)
    return process.returncode, "".join(shown) + rest, errors


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no SIGINT to one process")
def test_ctrl_c_ends_with_130_and_keeps_the_network(tmp_path):
    process = started("train", "digits", "--epochs", 500, "--out", tmp_path / "run")
    code, shown, errors = press_ctrl_c(process, "epoch 1/500 ")
    assert code == 130
    left = {path.name for path in (tmp_path / "run").iterdir()}
    assert left - {".lock"} == FILES | {"unfinished"}
    text = (tmp_path / "run" / "metrics.json").read_text(encoding="utf-8")
    metrics = json.loads(text)
    assert metrics["interrupted"] is True
    assert f"Test accuracy {metrics['test']['accuracy']:.4f}" in shown
    assert errors == (
        f"Interrupted; the network is that of epoch {metrics['best_epoch']}. To go on: "
        f"python -m deepneuron train --resume {tmp_path / 'run'}\n"
    )


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no SIGINT to one process")
def test_ctrl_c_at_once_ends_with_130_and_leaves_nothing(tmp_path):
    process = started(
        *("train", "fashion", "--batch-size", 8, "--epochs", 500),
        *("--out", tmp_path / "a" / "run"),
    )
    code, _, errors = press_ctrl_c(process, " training, ")
    assert code == 130
    assert (
        errors == "Interrupted before the first epoch was over; nothing was written.\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_defect_of_ours_is_no_error_of_the_user(monkeypatch):
    def fail(*arguments, **kwargs):
        raise ZeroDivisionError

    monkeypatch.setattr(job, "claimed", fail)
    monkeypatch.setattr(sys, "argv", ["deepneuron", "train", "digits"])
    with pytest.raises(ZeroDivisionError):
        main()


@pytest.mark.skipif(os.name == "nt", reason="pipes close differently there")
def test_a_reader_that_goes_is_no_traceback(tmp_path):
    with started("train", "digits", "--out", tmp_path / "run") as process:
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 1
    assert list(tmp_path.iterdir()) == []
