"""The four estimators against scikit-learn's own suite."""

from __future__ import annotations

import subprocess
import sys

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from deepneuron.estimators import Adaline, MLPClassifier, MLPRegressor, Perceptron

ONE_BY_ONE = (
    "one example at a time: twice in a row is not once with twice the weight "
    "(scikit-learn grants this to its own Perceptron)"
)


def granted(estimator: object) -> dict[str, str]:
    """The checks that scikit-learn's own estimator of that kind need not pass."""
    if isinstance(estimator, Perceptron):
        return {"check_sample_weight_equivalence_on_dense_data": ONE_BY_ONE}
    return {}


# As in scikit-learn, where a check fits so often that it must not fit to the end.
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@parametrize_with_checks(
    [
        Perceptron(max_iter=20),
        Adaline(),
        MLPClassifier(max_iter=100),
        MLPRegressor(max_iter=100),
    ],
    expected_failed_checks=granted,
)
def test_estimators_pass_the_checks_of_scikit_learn(estimator, check) -> None:
    check(estimator)


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


def test_deepneuron_alone_does_not_import_scikit_learn() -> None:
    done = run(
        "import sys, deepneuron, deepneuron.layers, deepneuron.models\n"
        "assert 'sklearn' not in sys.modules, 'imported'"
    )
    assert done.returncode == 0, done.stderr


def test_without_scikit_learn_one_error_says_what_to_install() -> None:
    done = run(
        "import sys\n"
        "sys.modules['sklearn'] = None\n"
        "import deepneuron\n"
        "try:\n"
        "    deepneuron.estimators\n"
        "except ImportError as error:\n"
        "    print(error)\n"
    )
    assert 'pip install "deepneuron-ai[sklearn]"' in done.stdout, done.stderr
