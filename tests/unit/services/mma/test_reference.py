"""Every reference value that has a file here, a formula or a constant."""

from __future__ import annotations

import pytest

from bench.mma_reference import Files, Outcome, formula_rows, map_rows

AT = Files()


@pytest.mark.parametrize("row", list(formula_rows()), ids=lambda row: f"{row.name} {row.what}")
def test_formulas(row):
    assert Outcome(row, row.ours()).agrees, row.ours()


@pytest.mark.long
@pytest.mark.shelf
@pytest.mark.parametrize("row", list(map_rows(AT)), ids=lambda row: f"{row.name} {row.what}")
def test_maps(row):
    try:
        ours = row.ours()
    except FileNotFoundError as error:
        pytest.skip(f"no file: {error}; set TOCSIN_DATA")
    assert Outcome(row, ours).agrees, ours
