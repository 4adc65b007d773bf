"""`deepneuron export`: a trained network in a file that other programs run."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from deepneuron.cli.complete import complete_classifier
from deepneuron.cli.options import import_modules, import_option
from deepneuron.cli.threads import one_thread

if TYPE_CHECKING:
    from deepneuron.vision.classifier import Classifier

FORMATS = ("onnx", "keras")


@click.command(short_help="Write a trained network for other programs.")
@click.argument("model", type=click.Path(), shell_complete=complete_classifier)
@click.option(
    "--to",
    "kind",
    default="onnx",
    show_default=True,
    type=click.Choice(FORMATS),
    help="The format.",
)
@click.option(
    "--out",
    metavar="FILE",
    type=click.Path(),
    help="The file to write.  [default for onnx: beside the model]",
)
@click.option(
    "--opset", type=int, help="The version of ONNX's operators.  [default: 17]"
)
@import_option
def export(
    model: str, kind: str, out: str | None, opset: int | None, modules: tuple[str, ...]
) -> None:
    """Write a trained network into a file that other programs run.

    \b
    MODEL is a folder that `deepneuron train` has filled, or a .keras file.

    \b
    Formats:
      onnx       for ONNX Runtime, which C++, C#, Java, JavaScript and phones have;
                 pictures go in as (pictures, height, width, channels), float32,
                 from 0 to 255; the names of the classes stand in the file
      keras      a copy for predicting, without the state of the optimizer

    What was written is read again, and must compute what the network computes.

    \b
    Examples:
      deepneuron export runs/digits
      deepneuron export runs/digits --to onnx --out digits.onnx
      deepneuron export model.keras --to keras --out smaller.keras
    """  # noqa: D301 - click asks for the character \b itself
    one_thread()
    import_modules(modules)
    source = _file_of(model)
    target = _target(source, kind, out)
    if opset is not None and kind != "onnx":
        raise click.UsageError("--opset goes with --to onnx only.")
    network, classifier = _open(Path(model), source)
    write = _write_onnx if kind == "onnx" else _write_keras
    facts = write(network, classifier, target, opset)
    size = _size(target.stat().st_size)
    click.echo(f"Written to {click.style(str(target), bold=True)}")
    for fact, value in {"size": size, **facts}.items():
        click.echo(f"  {fact:<12}{value}")


def _file_of(model: str) -> Path:
    path = Path(model)
    return path / "model.keras" if path.is_dir() else path


def _target(source: Path, kind: str, out: str | None) -> Path:
    if out is None:
        if kind == "keras":
            raise click.UsageError(
                "--to keras needs a name for the copy, as in: --out copy.keras"
            )
        return source.with_suffix(".onnx")
    target = Path(out)
    if target.suffix != f".{kind}":
        raise click.UsageError(f"--out names a .{kind} file; received {out!r}.")
    if os.path.realpath(target) == os.path.realpath(source):
        raise click.UsageError("--out is the model itself; choose another name.")
    return target


def _open(model: Path, source: Path) -> tuple[Any, Classifier | None]:
    """The network; and what is known of its classes, if it is one for pictures."""
    from deepneuron.models import load_model
    from deepneuron.vision.classifier import open_classifier

    if (
        model.is_dir()
        or not source.exists()
        or (source.parent / "labels.json").exists()
    ):
        classifier = open_classifier(model)
        return classifier.model, classifier
    return load_model(source, compile=False), None


def _pixels(classifier: Classifier | None) -> Any:
    """A function from a number to so many random pictures."""
    if classifier is None:
        return None
    import numpy as np

    from deepneuron.saving.onnx_trace import inputs_of

    taken = inputs_of(classifier.model)[0][0].shape
    shape = classifier.shape[: len(taken) - 1]  # grey pictures may have no channel

    def pictures(count: int) -> Any:
        rng = np.random.Generator(np.random.Philox(key=count))
        return rng.integers(0, 256, (count, *shape)).astype("float32")

    return pictures


def _write_onnx(
    network: Any, classifier: Classifier | None, target: Path, opset: int | None
) -> dict[str, str]:
    from deepneuron.saving import export_onnx

    named = classifier is not None and classifier.named
    written = export_onnx(
        network,
        target,
        opset_version=opset,
        class_names=classifier.class_names if named and classifier else None,
        metadata={"pixels": "float32, from 0 to 255"} if classifier else None,
        examples=_pixels(classifier),
    )
    return {
        "input": _edges(written.inputs),
        "output": _edges(written.outputs),
        "graph": f"{written.nodes} nodes, opset {written.opset}",
        "difference": f"{written.difference:.1e} of the largest output, at most, when "
        "ONNX Runtime computes it",
    }


def _edges(edges: dict[str, Any]) -> str:
    """Names, types and sizes of inputs or outputs."""
    return "; ".join(
        f"{name}, {dtype} ({', '.join('?' if n is None else str(n) for n in shape)})"
        for name, (shape, dtype) in edges.items()
    )


def _write_keras(
    network: Any, classifier: Classifier | None, target: Path, opset: int | None
) -> dict[str, str]:
    from deepneuron.models import load_model
    from deepneuron.saving import save_model

    save_model(network, target)
    pairs = zip(
        load_model(target, compile=False).get_weights(),
        network.get_weights(),
        strict=True,
    )
    largest = max((float(abs(a - b).max(initial=0)) for a, b in pairs), default=0.0)
    return {
        "weights": f"{network.count_params():,}",
        "difference": f"{largest:.1e} between the weights, at most, when read again",
    }


def _size(count: int) -> str:
    if count < 1000:
        return f"{count} bytes"
    for unit, size in (("kB", 1e3), ("MB", 1e6)):
        if count < 1000 * size:
            return f"{count / size:.1f} {unit}"
    return f"{count / 1e9:.1f} GB"
