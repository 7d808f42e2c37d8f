"""The files lookups come and go in: CSV (also as Oracle Integration exports them) and XLSX."""

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import tablib
from import_export.formats.base_formats import CSV, XLSX
from openpyxl import Workbook, load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from lookups.escape import escape_cell, unescape_cell
from lookups.kinds import cell_of
from lookups.models import Lookup
from lookups.names import fold_name

MOST_ROWS = 50_000
MOST_BYTES = 20 * 1024 * 1024  # of a file, and of an XLSX file unpacked ten times that
PACKED = 10
MARKS = ("dvm", "lookup")  # what a title line may begin with, before the name


class SheetInvalid(ValueError):
    """A file that is no table of rows; the text says why and where."""


def dataset_of(lines: Iterable[Iterable[Any]]) -> tablib.Dataset:
    """Header and rows, with `line_numbers` of the rows, and the `title` that stood before the header ("" if none).

    Blank lines are left out. SheetInvalid on no header, a row longer than the header, or more than MOST_ROWS.
    """
    rows = list(islice(_filled(lines), MOST_ROWS + 3))
    title = _title(rows)
    if title:
        rows.pop(0)
    if not rows:
        raise SheetInvalid("The file is empty: the first line holds the column names")
    if len(rows) > MOST_ROWS + 1:
        raise SheetInvalid(f"The file has more than {MOST_ROWS} rows")
    header = rows[0][1]
    dataset = tablib.Dataset(headers=header)
    dataset.title, dataset.line_numbers = title, [number for number, _ in rows[1:]]
    for number, cells in rows[1:]:
        if len(cells) > len(header):
            raise SheetInvalid(f"Line {number} has {len(cells)} cells, the header {len(header)}")
        dataset.append([*cells, *[""] * (len(header) - len(cells))])
    return dataset


def _title(rows: list[tuple[int, list[str]]]) -> str:
    """The lookup's name where the first line gives it: alone, after the mark DVM, or before its description."""
    if len(rows) < 2:  # noqa: PLR2004  (a title and a header)
        return ""
    first, second = rows[0][1], rows[1][1]
    if first[0].casefold() in MARKS and len(first) > 1:
        return first[1]
    if len(first) == 1 < len(second):
        return first[0]
    named = len(first) < len(second) and Lookup.objects.filter(folded=fold_name(first[0])).exists()
    return first[0] if named else ""


def _filled(lines: Iterable[Iterable[Any]]) -> Iterator[tuple[int, list[str]]]:
    """Lines with something in them, numbered from 1, without trailing blank cells."""
    for number, line in enumerate(lines, 1):
        cells = [unescape_cell(cell_of(cell)) for cell in line]
        while cells and not cells[-1]:
            cells.pop()
        if cells:
            yield number, cells


class LookupCSV(CSV):  # type: ignore[misc]  # import_export has no types
    """Comma-separated UTF-8; a semicolon or tab is taken too, where the column names have no comma."""

    def create_dataset(self, in_stream: str | bytes, **_: Any) -> tablib.Dataset:
        """From the file's text."""
        try:
            text = (
                in_stream.decode("utf-8-sig")
                if isinstance(in_stream, bytes)
                else in_stream.removeprefix("\ufeff")
            )
            if "\0" in text:
                raise SheetInvalid("The file is not text")
            return dataset_of(
                csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
            )
        except UnicodeDecodeError as error:
            raise SheetInvalid(f"The file is not UTF-8 (byte {error.start})") from error
        except csv.Error as error:
            raise SheetInvalid(f"The file is not CSV: {error}") from error

    def export_data(self, dataset: tablib.Dataset, **_: Any) -> str:
        """The file's text, formulas escaped."""
        out = io.StringIO(newline="")
        csv.writer(out).writerows(_escaped(dataset))
        return out.getvalue()


def _delimiter(text: str) -> str:
    """The one in the first line that has any: the column names', as a lookup's name may stand alone before them."""
    for line in text.splitlines()[:2]:
        for mark in (",", ";", "\t"):
            if mark in line:
                return mark
    return ","


class LookupXLSX(XLSX):  # type: ignore[misc]  # import_export has no types
    """The first sheet of a workbook."""

    def create_dataset(self, in_stream: bytes) -> tablib.Dataset:
        """From the file's bytes."""
        try:
            with zipfile.ZipFile(io.BytesIO(in_stream)) as packed:
                if sum(part.file_size for part in packed.infolist()) > MOST_BYTES * PACKED:
                    raise SheetInvalid("The workbook is too large")
            book = load_workbook(io.BytesIO(in_stream), read_only=True, data_only=True)
            return dataset_of(book.worksheets[0].iter_rows(values_only=True))
        except (zipfile.BadZipFile, InvalidFileException, KeyError, IndexError) as error:
            raise SheetInvalid("The file is not an XLSX workbook") from error

    def export_data(self, dataset: tablib.Dataset, **_: Any) -> bytes:
        """The file's bytes, formulas escaped."""
        book = Workbook(write_only=True)
        sheet = book.create_sheet("Lookup")
        for row in _escaped(dataset):
            sheet.append(row)
        out = io.BytesIO()
        book.save(out)
        return out.getvalue()


def _escaped(dataset: tablib.Dataset) -> Iterator[list[str]]:
    yield [escape_cell(str(name)) for name in dataset.headers]
    for row in dataset:
        yield [escape_cell(cell_of(cell)) for cell in row]


FORMATS: dict[str, Any] = {"csv": LookupCSV, "xlsx": LookupXLSX}
