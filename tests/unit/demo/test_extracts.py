"""Extract files have the columns, flags and names of seed 001 and the published upload layouts."""

import zipfile
from datetime import UTC, datetime

import pytest

from demo.ccs import Ccs
from demo.extracts import (
    BATCHES,
    COLUMNS,
    CONTACT,
    REQUIRED,
    SERVICE,
    SERVICE_POINT,
    Source,
    batch_of,
    file_name,
    line,
    read_extract,
)
from demo.people import customers

ENTITIES = {"C1-DCTEX": CONTACT, "C1-DSPEX": SERVICE_POINT, "C1-DMSEX": SERVICE}


def extracted(code, shelf, *, changes=3, zipped=False):
    ccs = Ccs(population=24)
    if not BATCHES[code].initial:
        ccs.change(BATCHES[code].entity, changes)
    extract = ccs.extract(code, shelf, zipped=zipped)
    with shelf.open(extract.name) as content:
        return extract, list(read_extract(content, extract.name))


def test_file_name_is_batch_number_and_rerun():
    assert file_name("C1-DCTIL", 33, zipped=True) == "C1-DCTIL_0033_00.csv.zip"


@pytest.mark.parametrize(
    "name", [".C1-DCTEX_0001_00.csv.part", "C1-DCTEX_1.csv", "SENT-C1-DCTEX_0001_00.csv", "x"]
)
def test_other_names_are_of_no_batch(name):
    assert batch_of(name) is None


@pytest.mark.parametrize("code", ENTITIES)
def test_incremental_records_carry_their_sync_request_and_flag(code, shelf):
    extract, records = extracted(code, shelf)
    assert [record["External Reference Id"] for record in records] == list(extract.references)
    assert all(len(reference) == 14 and reference.isdigit() for reference in extract.references)
    assert {record["Initial Load Sync Flag"] for record in records} == {"F1IC"}


@pytest.mark.parametrize("code", ["C1-DCTIL", "C1-DSPIL", "C1-DMSIL"])
def test_initial_load_has_every_customer_and_no_sync_request(code, shelf):
    extract, records = extracted(code, shelf)
    assert len(records) == extract.records == 24
    assert {record["Initial Load Sync Flag"] for record in records} == {"F1IL"}
    assert {record["External Reference Id"] for record in records} == {""}


@pytest.mark.parametrize("code", [*ENTITIES, "C1-DCTIL", "C1-DSPIL", "C1-DMSIL"])
def test_required_columns_are_filled(code, shelf):
    _, records = extracted(code, shelf)
    assert all(record[column] for record in records for column in REQUIRED[BATCHES[code].entity])


@pytest.mark.parametrize("code", ENTITIES)
def test_records_are_tab_delimited_without_header(code, shelf):
    extract, records = extracted(code, shelf)
    lines = (shelf.path / extract.name).read_text().splitlines()
    assert len(lines) == len(records)
    assert lines[0].split("\t")[0] == extract.references[0]
    assert len(lines[0].split("\t")) == len(COLUMNS[ENTITIES[code]])


def test_date_times_are_iso_8601_with_offset():
    customer = next(customers(1))
    text = line(BATCHES["C1-DCTEX"], Source(customer, "1", datetime(2024, 1, 15, 8, 30, tzinfo=UTC)))
    assert text.split("\t")[1] == "2024-01-15T08:30:00+00:00"


def test_zipped_extract_holds_one_csv_of_its_own_name(shelf):
    extract, records = extracted("C1-DSPEX", shelf, zipped=True)
    assert extract.name.endswith(".csv.zip")
    assert zipfile.ZipFile(shelf.path / extract.name).namelist() == [extract.name.removesuffix(".zip")]
    assert len(records) == 3


def test_customers_are_the_same_for_the_same_seed():
    assert list(customers(40)) == list(customers(40))
    assert list(customers(40)) != list(customers(40, seed=7))


def test_a_larger_population_begins_with_the_smaller_one():
    assert list(customers(100))[:10] == list(customers(10))


def test_a_line_with_too_few_columns_is_named(shelf):
    (shelf.path / "C1-DCTEX_0001_00.csv").write_text("a\tb\n")
    with (
        shelf.open("C1-DCTEX_0001_00.csv") as content,
        pytest.raises(ValueError, match="record 1 has 2 columns"),
    ):
        list(read_extract(content, "C1-DCTEX_0001_00.csv"))
