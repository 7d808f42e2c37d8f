"""CSV files that come with a message, record by record in constant memory (seed 002, ReadFileinSegments).

UTF-8 with or without a BOM, commas, quotes where a field needs them, LF or CRLF. What cannot be read is refused with
its place: a record that was guessed at is worse than none.

Lines are split at their commas until the first quote in the file, from where on the csv module reads: without quotes
both make the same of a line, and splitting takes a third of the time (measured with five short fields).
"""

import codecs
import csv
import io
from collections.abc import Iterator, Sequence
from itertools import chain, islice, repeat

from integrations.adapters.contract import Reader
from integrations.engine.faults import InvalidMessage
from integrations.mapping import Segment

BLOCK = 256 * 1024
LONGEST_LINE = 1024 * 1024
MOST_COLUMNS = 200
LOOKED_AT = 1000  # records counted at a time where the csv module reads
ZIP = b"PK\x03\x04"

Row = list[str]
Portion = list[str] | Iterator[Row]  # lines without a quote, or what the csv module makes of the rest


class CsvRecords:
    """The records of one file, in order, with the header's names as the flow spells them."""

    def __init__(self, reader: Reader, columns: Sequence[str], *, name: str) -> None:
        """`columns`: those the file must have, in any order and beside others; `name`: the file's, for errors.

        InvalidMessage where the header is missing, lacks a column or names one twice.
        """
        self._name = name
        self._read = 0
        self._portions = _portions(_texts(reader, name), name)
        self._header = self._spelled([cell.strip() for cell in self._take_header()], columns)

    def segments(self, size: int) -> Iterator[Segment]:
        """Segments of `size` records, the last one shorter; InvalidMessage at the first that cannot be read."""
        lines: list[str] = []
        for portion in self._portions:
            if isinstance(portion, list):
                lines += portion
                whole = len(lines) - len(lines) % size
                yield from (self._of_lines(lines[at : at + size]) for at in range(0, whole, size))
                del lines[:whole]
            else:
                rows = chain((line.split(",") for line in lines), portion)
                lines = []
                while found := self._take(rows, size):
                    self._check(list(map(len, found)))
                    yield Segment(self._header, rows=found)
        if lines:
            yield self._of_lines(lines)

    def _of_lines(self, lines: list[str]) -> Segment:
        self._check([commas + 1 for commas in map(str.count, lines, repeat(","))])
        return Segment(self._header, lines=lines)

    def count(self) -> int:
        """How many records there are, each looked at; InvalidMessage as from `segments`."""
        for portion in self._portions:
            if isinstance(portion, list):
                self._check([commas + 1 for commas in map(str.count, portion, repeat(","))])
            else:
                while found := self._take(portion, LOOKED_AT):
                    self._check(list(map(len, found)))
        return self._read

    def _take(self, rows: Iterator[Row], size: int) -> list[Row]:
        try:
            return list(islice(rows, size))
        except csv.Error as error:
            raise _wrong(self._name, f"cannot be read after record {self._read}: {error}") from error

    def _check(self, lengths: list[int]) -> None:
        """Whether records have as many fields as the header; counts them."""
        wanted = len(self._header)
        if lengths and set(lengths) != {wanted}:
            odd = next(place for place, length in enumerate(lengths) if length != wanted)
            raise _wrong(
                self._name,
                f"has {lengths[odd]} fields in record {self._read + odd + 1}, and {wanted} in its header",
            )
        self._read += len(lengths)

    def _take_header(self) -> Row:
        portion = next(self._portions, None)
        if portion is None:
            raise _wrong(self._name, "is empty: it has no header")
        if isinstance(portion, list):
            self._portions = chain([portion[1:]], self._portions)
            return portion[0].split(",")
        self._portions = chain([portion], self._portions)
        return next(iter(self._take(portion, 1)), [])

    def _spelled(self, header: Row, columns: Sequence[str]) -> Row:
        """The header's names, those of `columns` as the flow writes them."""
        if len(header) > MOST_COLUMNS:
            raise _wrong(self._name, f"has {len(header)} columns; {MOST_COLUMNS} are the most")
        known = {column.lower(): column for column in columns}
        spelled = [known.get(cell.lower(), cell) for cell in header]
        missing = [column for column in columns if column not in spelled]
        if missing:
            there = ", ".join(header)[:200]
            raise _wrong(self._name, f"has no column {', '.join(missing)} in its header, line 1 ({there})")
        if twice := sorted({cell for cell in spelled if spelled.count(cell) > 1}):
            raise _wrong(self._name, f"names {', '.join(twice)} twice in its header, line 1")
        return spelled


def _portions(texts: Iterator[str], name: str) -> Iterator[Portion]:
    """Lines without a quote, blank ones left out; from the first quote on, one reader of all the rest."""
    for text in texts:
        plain = text.replace("\r\n", "\n") if "\r" in text else text
        if '"' in plain or "\r" in plain:
            blocks = (io.StringIO(one, newline="\n") for one in chain([text], texts))
            yield filter(None, csv.reader(chain.from_iterable(blocks), strict=True))
            return
        if lines := [line for line in plain.split("\n") if line]:
            yield lines


def _texts(reader: Reader, name: str) -> Iterator[str]:
    """Blocks of whole lines."""
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    rest, line = "", 0
    while chunk := reader.read(BLOCK):
        _check_bytes(chunk, name, line, first=not line and not rest)
        try:
            text = rest + decoder.decode(chunk)
        except UnicodeDecodeError as error:
            at = line + 1 + error.object.count(b"\n", 0, error.start)
            raise _wrong(name, f"is not UTF-8 in line {at}: {error.reason}") from error
        end = text.rfind("\n") + 1
        rest = text[end:]
        if len(rest) > LONGEST_LINE:
            raise _wrong(name, f"has a line longer than {LONGEST_LINE} characters after line {line}")
        line += text.count("\n", 0, end)
        if end:
            yield text[:end]
    try:
        rest += decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise _wrong(name, f"ends in the middle of a character, in line {line + 1}") from error
    if rest:
        yield rest


def _check_bytes(chunk: bytes, name: str, line: int, *, first: bool) -> None:
    if first and chunk.startswith(ZIP):
        raise _wrong(name, "is a zip file; it has to be CSV as it is")
    if b"\x00" in chunk:
        at = line + 1 + chunk.count(b"\n", 0, chunk.index(b"\x00"))
        raise _wrong(name, f"holds a NUL in line {at}")


def _wrong(name: str, what: str) -> InvalidMessage:
    return InvalidMessage(
        f"The file {name} {what}", hint="Correct the file and send it under a new message id."
    )
