"""Neighbours that run for one test."""

import pytest

from demo.ccs import Ccs
from demo.extracts import CONTACT
from demo.shelf import Folder

CCS_USER = ("CCSUSER", "ccs-password")


@pytest.fixture
def shelf(tmp_path):
    return Folder(tmp_path / "CustomerSync")


@pytest.fixture
def ccs():
    with Ccs(population=24, username=CCS_USER[0], password=CCS_USER[1], slow_seconds=0.6) as running:
        yield running


@pytest.fixture
def awaiting(ccs, shelf):
    """The id of a sync request that waits for its acknowledgement."""
    ccs.change(CONTACT, 1)
    return ccs.extract("C1-DCTEX", shelf).references[0]
