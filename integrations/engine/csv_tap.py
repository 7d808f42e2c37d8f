"""Reading a CSV file's records as its bytes pass; whatever is in it, the file itself goes on its way."""

import csv
import io

from integrations.engine.csv_records import LONGEST_LINE, ZIP

BOM = "\ufeff"


class CsvTap:
    """Bytes in, rows out to `header` and `record`. What cannot be read is kept in `broken`, and ends the reading."""

    def __init__(self) -> None:
        """Nothing was read yet."""
        self._rest = b""
        self._columns = 0
        self.broken = ""
        self.number = 0

    def feed(self, chunk: bytes) -> None:
        """The next bytes; b"" ends the file."""
        if not self.broken:
            self._take(chunk)
        if not chunk:
            self.ended()

    def header(self, cells: list[str]) -> None:
        """The first row. ValueError says why the others are of no use."""

    def record(self, cells: list[str]) -> None:
        """One more, with as many cells as the header; `number` counts them from 1."""

    def odd(self, cells: list[str]) -> None:
        """One with more or fewer cells than the header."""

    def ended(self) -> None:
        """The file's end."""

    def _take(self, chunk: bytes) -> None:
        block = self._rest + chunk
        end = block.rfind(b"\n") + 1 if chunk else len(block)
        self._rest = block[end:]
        try:
            if len(self._rest) > LONGEST_LINE or block.startswith(ZIP):
                raise ValueError("it is no CSV file of lines")
            self._rows(block[:end].decode("utf-8").removeprefix(BOM))
        except (ValueError, csv.Error) as error:
            self.broken = str(error)

    def _rows(self, text: str) -> None:
        for row in filter(None, csv.reader(io.StringIO(text, newline="\n"))):
            if not self._columns:
                self._columns = len(row)
                self.header([cell.strip() for cell in row])
                continue
            self.number += 1
            if len(row) == self._columns:
                self.record(row)
            else:
                self.odd(row)
