"""Where property lists say that files are, and which child flow takes them."""

from types import SimpleNamespace
from typing import Any

import pytest

from integrations.engine.places import FTP, OS, Place, Preferred
from lookups.errors import LookupFault
from lookups.models import Lookup, Row
from lookups.properties import Properties

NAME = "OUTL-BRT-TEST_ConfigProps"
AT_FTP, AT_OS = Place(directory="the.directory"), Place(namespace="the.namespace", bucket="the.bucket")
BOTH = Preferred("the.preference", {FTP: ("TO-FTP", AT_FTP), OS: ("TO-OS", AT_OS)})


@pytest.fixture
def run(db: None) -> Any:
    """A run whose package has these properties, and whose stores join a place with a slash."""
    lookup = Lookup.objects.create(
        name=NAME, kind="properties", columns=["Property Name", "Value", "Description"]
    )
    for name, value in (("the.directory", "/in"), ("the.namespace", "ns"), ("the.bucket", "b")):
        Row.objects.create(lookup=lookup, cells=[name, value, ""])
    store = SimpleNamespace(directory_for=lambda place: f"{place['namespaceName']}/{place['bucketName']}")
    return SimpleNamespace(properties=Properties(NAME), files=lambda connection: store)


def prefer(value: str) -> None:
    Row.objects.create(lookup=Lookup.objects.get(name=NAME), cells=["the.preference", value, ""])


def test_a_place_names_the_properties_it_needs():
    assert AT_FTP.properties == ("the.directory",)
    assert AT_OS.properties == ("the.namespace", "the.bucket")
    assert Place().properties == ()


def test_a_directory_is_as_it_is_set_and_a_bucket_as_its_store_has_it(run: Any):
    assert AT_FTP.directory_at(run, "any") == "/in"
    assert AT_OS.directory_at(run, "any") == "ns/b"


def test_each_kind_of_child_is_told_its_place_by_its_own_fields(run: Any):
    assert AT_FTP.handover(run, "F").message("a.csv") == {"fileName": "a.csv", "directory": "/in"}
    found = AT_OS.handover(run, "F")
    assert found.flow == "F"
    assert found.message("a.csv") == {"objectName": "a.csv", "namespaceName": "ns", "bucketName": "b"}


@pytest.mark.parametrize(("value", "flow"), [("ftp", "TO-FTP"), ("os", "TO-OS"), ("OS", "TO-OS")])
def test_the_preference_chooses_the_child(run: Any, value: str, flow: str):
    prefer(value)
    assert BOTH.handover(run).flow == flow


@pytest.mark.parametrize("value", ["sftp", "both", "ftp os"])
def test_another_preference_is_a_fault_that_names_it(run: Any, value: str):
    prefer(value)
    with pytest.raises(LookupFault, match=value):
        BOTH.handover(run)


def test_none_is_a_fault_unless_there_is_a_default(run: Any):
    with pytest.raises(LookupFault, match=r"the\.preference"):
        BOTH.handover(run)
    assert Preferred("the.preference", BOTH.children, default=OS).handover(run).flow == "TO-OS"


def test_it_declares_every_flow_it_may_call():
    assert BOTH.calls == ("TO-FTP", "TO-OS")
