"""What the tests of this package share."""

import pytest

from demo.extracts import CONTACT
from demo.shelf import Folder
from tests.flows.conftest import Edges, run_file_flow


@pytest.fixture
def awaiting(edges: Edges) -> str:
    """The id of a sync request whose file went to DACS."""
    edges.ccs.change(CONTACT, 1)
    extract = edges.ccs.extract("C1-DCTEX", Folder(edges.source))
    run_file_flow("OUTL-BA-CCS_DACS_CUST_SYNC_FTP", extractedFileNamePrefix="C1-DCTEX")
    return extract.references[0]
