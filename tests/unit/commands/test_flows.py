"""`manage.py flows`."""

import json

import pytest
from django.core.management import call_command

pytestmark = pytest.mark.django_db
PACKAGE = "outl.ba.ccs_dacs"


def test_every_flow_of_the_package_is_listed_with_what_it_needs(capsys):
    call_command("flows", "--json")
    rows = {
        row["identifier"]: row for row in json.loads(capsys.readouterr().out) if row["package"] == PACKAGE
    }
    assert sorted(rows) == [
        "OUTL-BA-CCS_DACS_CUST_SYNC_FTP",
        "OUTL-BA-CCS_DACS_CUST_SYNC_OS",
        "OUTL-BA-CCS_DACS_ERR_HNDLR",
        "OUTL-BA-CCS_DACS_FTP_TRANSFER",
        "OUTL-BA-CCS_DACS_OS_TRANSFER",
        "OUTL-BA-DACS_CCS_CUST_SYNC_ACK",
    ]
    ack = rows["OUTL-BA-DACS_CCS_CUST_SYNC_ACK"]
    assert (ack["pattern"], ack["trigger"]["resource"]) == ("sync", "sendCustomerSyncAck")
    assert "OU REST CCS for CCS-DACS" in ack["connections"]
    assert rows["OUTL-BA-CCS_DACS_FTP_TRANSFER"]["aliases"] == ["OUTL-BA-OUAL_DACS_FTP_TRANSFER"]
    assert all(row["source"].startswith("seed 001") for row in rows.values())


def test_the_table_says_what_is_switched_on(capsys):
    call_command("flows")
    assert "off file   OUTL-BA-CCS_DACS_CUST_SYNC_FTP" in capsys.readouterr().out
