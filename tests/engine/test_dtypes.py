"""The lattice of types: Keras's joins, and the laws that make them joins."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepneuron.engine import config
from deepneuron.engine.dtypes import (
    DTYPES,
    FLOATS,
    is_float,
    result_type,
    standardize_dtype,
)
from deepneuron.errors import DTypeError
from tests.peers import keras

types = st.sampled_from(DTYPES)
kinds = st.sampled_from([*DTYPES, int, float])


def test_every_pair_of_types_joins_as_in_keras() -> None:
    # JAX has no 64 bits unless it is told so: it cuts such results, and inputs as well.
    narrow = [d for d in DTYPES if not d.endswith("64")]
    wrong = {}
    for a, b in itertools.product([*narrow, int, float], repeat=2):
        ours, expected = result_type(a, b), keras().backend.result_type(a, b)
        if ours.replace("int64", "int32") != expected:
            wrong[a, b] = f"{ours}, in Keras {expected}"
    assert not wrong


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("float32", "float64", "float64"),
        ("float32", "int64", "float32"),
        ("float16", "uint64", "float16"),
        ("uint32", "int32", "int64"),
        ("int64", "uint8", "int64"),
        ("uint64", "uint8", "uint64"),
        ("uint64", "int8", "float32"),
        ("int64", "bool", "int64"),
    ],
)
def test_types_of_64_bits_join_as_in_jax_with_64_bits(
    a: str, b: str, expected: str
) -> None:
    assert result_type(a, b) == expected


@given(kinds, kinds)
def test_the_order_does_not_matter(a: Any, b: Any) -> None:
    assert result_type(a, b) == result_type(b, a)


@given(types, types, types)
def test_three_types_join_like_two_and_one(a: str, b: str, c: str) -> None:
    if {"uint64"} & {a, b, c}:
        return  # with signed integers it becomes a float, as in JAX: no lattice
    assert result_type(a, b, c) == result_type(result_type(a, b), c)


@given(types)
def test_a_type_joined_with_itself_or_a_weaker_number_stays(a: str) -> None:
    assert result_type(a) == result_type(a, a) == a
    assert result_type(a, int) == ("int32" if a == "bool" else a)
    assert result_type(a, float) == (a if a in FLOATS else config.floatx())


@given(types)
def test_names_are_standard(a: str) -> None:
    for given_as in (a, np.dtype(a), np.dtype(a).type):
        assert standardize_dtype(given_as) == a
    assert is_float(a) == (np.dtype(a).kind == "f")


def test_pythons_types_have_names() -> None:
    named = [standardize_dtype(t) for t in (None, float, int, bool)]
    assert named == ["float32", "float32", "int32", "bool"]
    try:
        config.set_floatx("float64")
        assert standardize_dtype(None) == result_type("int8", float) == "float64"
    finally:
        config.set_floatx("float32")
    assert result_type("int8", float) == "float32"


@pytest.mark.parametrize("wrong", ["float31", "complex64", "str", object, "O"])
def test_what_is_no_type_of_numbers_is_refused(wrong: Any) -> None:
    with pytest.raises(DTypeError, match="Not a type of numbers"):
        standardize_dtype(wrong)
