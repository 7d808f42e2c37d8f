"""What the tests of this package share."""

from collections.abc import Iterator

import pytest

from demo.extracts import CONTACT
from demo.namespaces import NamespaceServer
from demo.shelf import Folder
from tests.flows.conftest import Edges, connection_set, run_file_flow

BUCKET = "CCSDACS_CustomerSync"


@pytest.fixture
def awaiting(edges: Edges) -> str:
    """The id of a sync request whose file went to DACS."""
    edges.ccs.change(CONTACT, 1)
    extract = edges.ccs.extract("C1-DCTEX", Folder(edges.source))
    run_file_flow("OUTL-BA-CCS_DACS_CUST_SYNC_FTP", extractedFileNamePrefix="C1-DCTEX")
    return extract.references[0]


@pytest.fixture
def stores(edges: Edges) -> Iterator[tuple[NamespaceServer, NamespaceServer]]:
    """CCS's and DACS's object storage, each with the seed's bucket, and the connections to them."""
    with NamespaceServer("ccsnamespace", [BUCKET]) as ccs, NamespaceServer("dacsnamespace", [BUCKET]) as dacs:
        for name, server in (("OU REST CCS OS for CCS-DACS", ccs), ("OU REST DACS OS for CCS-DACS", dacs)):
            where = {
                "endpoint_url": server.url,
                "access_key": server.access_key,
                "namespace": server.namespace,
            }
            connection_set(name, where, {"secret_key": server.secret_key})
        yield ccs, dacs
        for server in (ccs, dacs):
            server.reset()
            left = [{"Key": name} for name in objects_in(server)]
            for start in range(0, len(left), 1000):
                server.client().delete_objects(Bucket=BUCKET, Delete={"Objects": left[start : start + 1000]})


def objects_in(server: NamespaceServer) -> list[str]:
    """The names in the server's bucket, however many."""
    pages = server.client().get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
    return sorted(item["Key"] for page in pages for item in page.get("Contents", []))


def put_object(server: NamespaceServer, name: str, content: bytes) -> None:
    """An object is there."""
    server.client().put_object(Bucket=BUCKET, Key=name, Body=content)
