import ast
import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture
def start(tmp_path, monkeypatch):
    """A fresh copy of start.py in a folder of its own, imported from there."""
    version = "src/deepneuron/_version.py"
    for name in ("start.py", "pyproject.toml", "CMakeLists.txt", version):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "start", raising=False)
    import start as module

    yield module
    del sys.modules["start"]


@pytest.fixture
def commands(start, monkeypatch):
    """The programs that start.py would have started; all of them succeed."""
    started = []

    def run(command, env=None):
        started.append([str(part) for part in command])
        return 0

    def works(command):
        if "venv" in [str(part) for part in command]:
            start.SCRIPTS.mkdir(parents=True)
            start.PYTHON.touch()
        return True

    monkeypatch.setattr(start, "run", run)
    monkeypatch.setattr(start, "works", works)
    monkeypatch.setattr(start, "script", lambda name: start.SCRIPTS / name)
    return started


def test_needs_nothing_but_the_standard_library():
    tree = ast.parse((ROOT / "start.py").read_text(encoding="utf-8"))
    imported = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    } | {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in imported} <= sys.stdlib_module_names


def test_help_names_every_command():
    done = subprocess.run(
        [sys.executable, ROOT / "start.py", "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    for word in ("train", "test", "lint", "install", "python", "--out"):
        assert word in done.stdout
    for word in ("predict", "evaluate", "report", "export"):
        assert f"\n    {word} " in done.stdout


def test_unknown_command_is_an_error():
    done = subprocess.run(
        [sys.executable, ROOT / "start.py", "trian"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "trian" in done.stderr


def test_an_old_python_is_told_so(monkeypatch):
    source = (ROOT / "start.py").read_text(encoding="utf-8")
    monkeypatch.setattr(sys, "version_info", (3, 10, 4))
    with pytest.raises(SystemExit, match=r"3\.11 or newer; this is Python 3\.10"):
        exec(compile(source, "start.py", "exec"), {"__name__": "start"})  # noqa: S102 - ours


def test_sets_up_once_and_hands_the_arguments_on(start, commands):
    arguments = ["train", "digits", "--out", "runs/digits", "--help"]
    assert start.main(arguments) == 0
    install, train = commands
    assert install[-2:] == ["--editable", str(start.ROOT)]
    assert train == [str(start.SCRIPTS / "deepneuron"), *arguments]
    assert start.main(arguments) == 0
    assert commands[2:] == [train]


@pytest.mark.parametrize("name", ["predict", "evaluate", "report", "export"])
def test_what_follows_a_training_is_handed_on_as_well(name, start, commands):
    assert start.main([name, "runs/digits", "--help"]) == 0
    install, command = commands
    assert install[-1] == str(start.ROOT)  # no extra
    assert command == [str(start.SCRIPTS / "deepneuron"), name, "runs/digits", "--help"]


@pytest.mark.parametrize(
    ("arguments", "extra"),
    [
        (["runs/digits"], "[onnx]"),
        (["runs/digits", "--to", "onnx"], "[onnx]"),
        (["runs/digits", "--to", "keras", "--out", "small.keras"], ""),
        (["runs/digits", "--to=keras", "--out", "small.keras"], ""),
    ],
)
def test_export_installs_onnx_where_it_writes_it(arguments, extra, start, commands):
    assert start.main(["export", *arguments]) == 0
    assert commands[0][-1] == f"{start.ROOT}{extra}"


def test_help_of_train_speaks_of_start(start, commands, monkeypatch):
    told = []
    monkeypatch.setattr(start, "run", lambda command, env=None: told.append(env) or 0)
    monkeypatch.setattr(sys, "argv", ["start.py", "train"])
    start.main(["train", "digits"])
    assert told[-1]["DEEPNEURON_PROGRAM"].split() == [
        "py" if os.name == "nt" else "python3",
        "start.py",
    ]


def test_extras_add_up(start, commands):
    start.main(["install", "torch"])
    start.main(["test", "-x"])
    assert commands[0][-1] == f"{start.ROOT}[torch]"
    assert "--editable" not in commands[1]  # which would build the kernels again
    extras = PROJECT["project"]["optional-dependencies"]
    expected = [*PROJECT["project"]["dependencies"], *extras["sklearn"]]
    expected += [*extras["test"], *extras["torch"]]
    assert commands[1][-len(expected) :] == expected
    assert commands[2][1:] == ["-m", "pytest", "-n", "auto", "-x"]
    start.main(["install", "torch", "sklearn"])
    assert len(commands) == 3
    (start.ROOT / "CMakeLists.txt").write_text("# changed", encoding="utf-8")
    start.main(["install"])
    assert commands[3][-2:] == ["--editable", str(start.ROOT)]


def test_an_unknown_extra_is_an_error(start, commands, capsys):
    start.main(["install"])
    assert start.main(["install", "torhc"]) == 1
    assert "There is no extra torhc; there are sklearn, onnx" in capsys.readouterr().err
    assert len(commands) == 1


def test_installs_again_when_the_project_file_changes(start, commands):
    start.main(["install"])
    with (start.ROOT / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write("\n# changed\n")
    start.main(["install"])
    assert len(commands) == 2


def test_builds_again_when_a_source_of_the_kernels_changes(start, commands):
    source = start.NATIVE / "cpp" / "kernels" / "dense.cpp"
    source.parent.mkdir(parents=True)
    for text in ("float x;", "float y;", "float y;"):
        source.write_text(text, encoding="utf-8")
        start.main(["install"])
    assert len(commands) == 2
    source.rename(source.with_name("conv.cpp"))
    start.main(["install"])
    assert len(commands) == 3


def test_kernels_of_an_older_build_are_not_taken_for_new(start, commands, capsys):
    old = start.NATIVE / "_native.abi3.so"
    old.parent.mkdir(parents=True)
    (start.NATIVE / "_native.pyi").touch()
    old.touch()
    start.main(["install"])
    assert [path.name for path in start.NATIVE.iterdir()] == ["_native.pyi"]
    assert "NumPy computes" in capsys.readouterr().err


def test_a_damaged_stamp_means_installing_again(start, commands):
    start.main(["install"])
    for content in ("", "[]", json.dumps({"extras": 3})):
        start.STAMP.write_text(content, encoding="utf-8")
        start.main(["install"])
    assert len(commands) == 4


def test_a_failed_installation_is_not_remembered(start, commands, monkeypatch, capsys):
    monkeypatch.setattr(start, "run", lambda command, env=None: 3)
    assert start.main(["install"]) == 1
    assert "exit code 3" in capsys.readouterr().err
    assert not start.STAMP.exists()


def test_exit_codes_pass_through(start):
    assert start.run([sys.executable, "-c", "raise SystemExit(7)"]) == 7


@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX")
def test_a_killed_program_has_the_shells_code(start):
    code = "import os, signal; os.kill(os.getpid(), signal.SIGTERM)"
    assert start.run([sys.executable, "-c", code]) == 128 + 15


def test_ci_runs_the_test_command_of_the_readme():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert "\npython3 start.py test\n" in readme
    assert 'stage "tests" python3 start.py test\n' in ci
