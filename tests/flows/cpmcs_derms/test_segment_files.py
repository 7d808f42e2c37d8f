"""Odd and hostile files of reservations (seed 002, Event Device Reservation, steps 3 and 5).

Each is taken, or refused whole: one negative acknowledgement, an error that names the file and the place, nothing sent.
"""

import io
import zipfile

import pytest

from tests.flows.conftest import mails
from tests.flows.cpmcs_derms.conftest import Sides, carry, told
from tests.flows.cpmcs_derms.test_segments import EVENT, HEALTH, RESERVATION

HEADER = b"recordId,nicId,headEndSystemId,reservationStartDateTime,reservationEndDateTime\n"
TWO = b"1,NIC1,ECOBEE,,\n2,NIC2,ECOBEE,,\n"
WINDOW = b"2026-07-01T18:30:00.000Z,2026-07-01T19:30:00.000Z"


def zipped(content: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("reservation.csv", content)
    return packed.getvalue()


TAKEN = {
    "BOM": (b"\xef\xbb\xbf" + HEADER + TWO, ["NIC1", "NIC2"]),
    "CRLF": ((HEADER + TWO).replace(b"\n", b"\r\n"), ["NIC1", "NIC2"]),
    "no final newline": ((HEADER + TWO).rstrip(b"\n"), ["NIC1", "NIC2"]),
    "a blank line in the middle": (HEADER + b"1,NIC1,ECOBEE,,\n\n2,NIC2,ECOBEE,,\n", ["NIC1", "NIC2"]),
    "blank lines at the end": (HEADER + TWO + b"\n\r\n\n", ["NIC1", "NIC2"]),
    "quotes": (HEADER + b'"1","NIC ""1""","ECOBEE, Inc.",,\n', ['NIC "1"']),
    "a newline in a field": (HEADER + b'1,"NIC\n1",ECOBEE,,\n2,NIC2,ECOBEE,,\n', ["NIC\n1", "NIC2"]),
    "columns in another order": (
        b"headEndSystemId,reservationEndDateTime,reservationStartDateTime,nicId\nECOBEE,,,NIC1\n",
        ["NIC1"],
    ),
    "a column more": (HEADER.replace(b"\n", b",comment\n") + b"1,NIC1,ECOBEE,,,hello\n", ["NIC1"]),
    "names in another case": (HEADER.upper() + b"1,NIC1,ECOBEE,,\n", ["NIC1"]),
    "letters of the world": (HEADER + "1,NIC-ü-電-🔌,ECOBEE,,\n".encode(), ["NIC-ü-電-🔌"]),
    "a window of its own": (HEADER + b"1,NIC1,ECOBEE," + WINDOW + b"\n", ["NIC1"]),
}
# What is wrong, and by what place it is found: a line, a record (the header is none), or the file itself.
REFUSED = {
    "empty": (b"", "is empty", ""),
    "blank lines alone": (b"\n\n", "is empty", ""),
    "another header": (b"a,b,c\n1,2,3\n", "has no column nicId, headEndSystemId", "line 1"),
    "no header": (TWO, "has no column nicId", "line 1"),
    "a missing column": (HEADER.replace(b"nicId,", b"") + b"1,ECOBEE,,\n", "has no column nicId", "line 1"),
    "a column twice": (HEADER.replace(b"recordId", b"nicId") + b"1,2,E,,\n", "names nicId twice", "line 1"),
    "a column in two cases": (HEADER.replace(b"recordId", b"NICID") + TWO, "names nicId twice", "line 1"),
    "semicolons": ((HEADER + TWO).replace(b",", b";"), "has no column nicId", "line 1"),
    "too few fields": (HEADER + TWO + b"3,NIC3\n", "has 2 fields", "record 3"),
    "too many fields": (HEADER + b"7,NIC1,ECOBEE,,,,\n", "has 7 fields", "record 1"),
    "blanks alone in a line": (HEADER + TWO + b"   \n", "has 1 fields", "record 3"),
    "too few after a quote": (HEADER + b'1,"NIC1",E,,\n2,NIC2\n', "has 2 fields", "record 2"),
    "Latin-1": (HEADER + TWO + b"3,NIC\xe9,ECOBEE,,\n", "is not UTF-8", "line "),
    "UTF-16": ((HEADER + TWO).decode().encode("utf-16"), "NUL", "line "),
    "cut in a character": (HEADER + b"1,NIC\xc3", "ends in the middle of a character", ""),
    "NUL": (HEADER + TWO + b"3,NIC\x00,ECOBEE,,\n", "holds a NUL", "line "),
    "a quote that is not closed": (HEADER + TWO + b'3,"NIC3,ECOBEE,,\n', "cannot be read", "record "),
    "text after a quote": (HEADER + b'1,"NIC"1,ECOBEE,,\n', "cannot be read", "record "),
    "a return in the middle": (HEADER + b"1,NIC\r1,ECOBEE,,\n", "cannot be read", "record "),
    "1,000,001 columns": (HEADER.rstrip(b"\n") + b"," * 999_996 + b"\n", "has 1000001 columns", ""),
    "a line of 2 MiB": (HEADER + b"1," + b"x" * 2 * 1024 * 1024, "line longer than", "line 1"),
    "a zip file": (zipped(HEADER + TWO), "is a zip file", ""),
    "a zip bomb": (zipped(b"0" * 50_000_000), "is a zip file", ""),
    "gzip": (b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03", "NUL", "line "),
    "nothing but quotes": (HEADER + b'"' * 300_001, "cannot be read", "record "),
    "the last of 2500": (RESERVATION.content(2500) + b"2501,NIC\n", "has 2 fields", "record 2501"),
}


@pytest.mark.parametrize("name", TAKEN)
def test_a_file_that_is_odd_and_right_is_taken(sides: Sides, name: str):
    content, nics = TAKEN[name]
    instance = carry(sides, *RESERVATION.address, told("device_reservation"), content)
    assert (instance.status, instance.fault_text) == ("succeeded", "")
    assert sorted(nic for _, nic in sides.cpmcs.records.reservations.of(EVENT)) == sorted(nics)
    assert RESERVATION.ack_types(sides) == ["SUCCESS"]


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_that_is_wrong_is_refused_whole_naming_file_and_place(sides: Sides, name: str):
    content, said, place = REFUSED[name]
    instance = carry(sides, *RESERVATION.address, told("device_reservation"), content)
    assert (instance.status, instance.fault_code) == ("failed", "HUB-INVALID")
    assert "file.csv" in instance.fault_text
    assert said in instance.fault_text
    assert place in instance.fault_text
    assert len(instance.fault_text) < 600
    (acknowledgement,) = RESERVATION.acknowledgements(sides)
    assert acknowledgement["ackType"] == "FAILURE"
    assert acknowledgement["responses"]["response"][0]["value"] == instance.fault_text
    assert {call["path"] for call in sides.cpmcs.received()} == {HEALTH}
    assert len(mails("error")) == 1
