"""`manage.py crm_import`: files as people have them."""

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from crm.models import LandbaseObject, ServiceDeliveryPoint
from crm.services import import_rows
from crm.services.service_points_import import service_points_import
from integrations.engine.faults import InvalidMessage

pytestmark = pytest.mark.django_db
HEADER = "servicePointId,customerPriority,transformerId,x,y,address\n"
UTM = "EPSG:32618"  # metres east and north, around New York


def known() -> dict[str, tuple[Any, ...]]:
    names = ("mrid", "customer_priority", "transformer_id", "x", "y", "address")
    return {row[0]: row[1:] for row in ServiceDeliveryPoint.objects.values_list(*names)}


@pytest.fixture
def file(tmp_path: Path) -> Any:
    """Write a file; its name."""

    def write(content: str | bytes, name: str = "points.csv") -> str:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    return write


def run(*arguments: str) -> tuple[int, str, str]:
    """Exit code, output, problems."""
    out, problems = StringIO(), StringIO()
    try:
        call_command("crm_import", *arguments, stdout=out, stderr=problems)
    except SystemExit as end:
        return int(end.code or 0), out.getvalue(), problems.getvalue()
    return 0, out.getvalue(), problems.getvalue()


def test_a_file_is_imported(file: Any):
    name = file(HEADER + 'S1,6,T1,-73.9,40.6,"1, Main St"\nS2,,,,,\n')
    assert run("service-points", name) == (0, "2 added, 0 changed, 0 unchanged, 0 left out\n", "")
    assert known() == {"S1": (6, "T1", -73.9, 40.6, "1, Main St"), "S2": (0, "", None, None, "")}
    assert run("service-points", name)[1] == "0 added, 0 changed, 2 unchanged, 0 left out\n"


def test_lines_are_the_file_s_whatever_is_quoted_or_empty(file: Any):
    name = file('servicePointId,address\n\nS1,"1\nMain St"\n,x\nS2,a,b\nS3\nS4,\n')
    code, out, problems = run("service-points", name)
    assert (code, out) == (1, "2 added, 0 changed, 0 unchanged, 3 left out\n")
    assert problems.splitlines() == [
        "line 5: it has no servicePointId",
        "line 6: it has 1 cell(s) more than the header",
        "line 7: it has 1 cell(s) fewer than the header",
    ]


def test_a_bom_and_windows_line_ends_are_taken(file: Any):
    assert run("service-points", file(b"\xef\xbb\xbfservicePointId\r\nS1\r\n"))[0] == 0
    assert set(known()) == {"S1"}


def test_a_landbase_file_is_imported_in_its_projection(file: Any):
    name = file("searchType,x,y,poleId\nPole,583959.37,4507350.99,P-1\n", "poles.csv")
    assert run("landbase", name, "--projection", UTM)[0] == 0
    assert round(LandbaseObject.objects.get().x, 3) == -74.006


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "The file is empty. Its first line has to name the columns."),
        ("servicePointId,x,X\n", "The header names 'X', 'x' more than once"),
        (b"servicePointId\nS\xff\n", "After line 0 the file is no CSV in UTF-8"),
        ("servicePointId\n" + "x" * 200_000, "the file is no CSV in UTF-8: field larger"),
    ],
)
def test_a_file_that_is_none_is_said(file: Any, content: str | bytes, said: str):
    with pytest.raises(CommandError) as caught:
        run("service-points", file(content))
    assert said in str(caught.value)


@pytest.mark.parametrize("what", ["service-points", "landbase"])
def test_a_file_that_is_not_there_and_a_projection_that_is_none(file: Any, tmp_path: Path, what: str):
    for name in (str(tmp_path / "none.csv"), str(tmp_path)):
        with pytest.raises(CommandError, match="cannot be read"):
            run(what, name)
    with pytest.raises(CommandError, match=r"is no projection that PROJ knows. Write it like EPSG:4326"):
        run(what, file(HEADER), "--projection", "nowhere")


def test_what_is_no_command_is_said():
    with pytest.raises(CommandError, match="invalid choice"):
        run("tickets", "x.csv")
    with pytest.raises(CommandError, match="the following arguments are required: FILE"):
        run("landbase")


def test_reading_stops_where_the_file_is_no_csv_and_what_came_before_stays_whole():
    with pytest.raises(InvalidMessage):
        service_points_import(rows=import_rows.read_csv(StringIO("")), actor="op")
