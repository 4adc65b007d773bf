"""What estimators warn of."""

from __future__ import annotations

import warnings

from sklearn.exceptions import ConvergenceWarning


class DivergenceWarning(ConvergenceWarning):
    """The cost grows instead of falling, because the learning rate is too large."""


def warn(message: str, category: type[Warning] = ConvergenceWarning) -> None:
    """Warn at the line that called fit, which stands below frames of ours."""
    warnings.warn(message, category, stacklevel=5)
