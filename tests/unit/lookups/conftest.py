import pytest
from django.contrib.auth.models import Permission, User

from lookups.models import Lookup, Row
from lookups.services import row_save

BUSINESS = ("view_lookup", "view_row", "add_row", "change_row", "delete_row")


@pytest.fixture
def asset_types(db):
    """A table lookup of three rows."""
    lookup = Lookup.objects.create(name="OUTL-BRT-TEST_AssetType", columns=["DERMS", "DACS"])
    for cells in (["THERMOSTAT", "X1TH"], ["thermostat", "lower"], ["EVSE", "X1EV"]):
        row_save(row=Row(lookup=lookup, cells=cells))
    return lookup


@pytest.fixture
def config(db):
    """Seed 001's property list, as the package ships it."""
    return Lookup.objects.get(name="OUTL-BRT-CCS_DACS_ConfigProps")


@pytest.fixture
def business_admin(db):
    user = User.objects.create_user("bea", password="a long password", is_staff=True)
    wanted = Permission.objects.filter(content_type__app_label="lookups", codename__in=BUSINESS)
    user.user_permissions.set(wanted)
    return user


@pytest.fixture
def business(business_admin, client):
    client.force_login(business_admin)
    return client


@pytest.fixture
def flag(config):
    return config.rows.get(folded="notification.email.error.flag")
