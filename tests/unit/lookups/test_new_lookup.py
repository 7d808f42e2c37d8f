"""A new lookup of a file, on the import page: previewed, then made, named as the file says."""

import pytest
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile

from integrations.models import AuditEntry
from lookups.models import Lookup
from lookups.services import lookup_make, sheet_read

ROWS = "/admin/lookups/row/"
EXPORTED = "DVM,Test-Regions,of the north\nCCS,DACS\nN,North\nS,South\n"


def _sent(text, name="rows.csv"):
    file = SimpleUploadedFile(name, text.encode())
    return {"lookup": "", "import_file": file, "format": "0", "mode": "new", "resource": "0"}


@pytest.fixture
def maker(business, business_admin):
    """Who may add lookups too."""
    business_admin.user_permissions.add(Permission.objects.get(codename="add_lookup"))
    return business


def test_it_is_previewed_then_made(maker):
    page = maker.post(f"{ROWS}import/", _sent(EXPORTED))
    assert "A new lookup, <strong>Test-Regions</strong>, with the columns CCS, DACS" in page.content.decode()
    assert not Lookup.objects.filter(name="Test-Regions").exists()
    answer = maker.post(f"{ROWS}process_import/", page.context["confirm_form"].initial)
    made = Lookup.objects.get(name="Test-Regions")
    assert answer.url.endswith(f"={made.pk}")
    assert (made.columns, [row.cells for row in made.rows.all()]) == (
        ["CCS", "DACS"],
        [["N", "North"], ["S", "South"]],
    )
    assert made.history.get().history_user.username == "bea"
    assert AuditEntry.objects.get(action="lookup_create").detail == {"name": "Test-Regions", "rows": 2}


def test_without_a_title_it_is_called_as_the_file(maker):
    page = maker.post(f"{ROWS}import/", _sent("CCS,DACS\nN,North\n", "Test-Areas.csv"))
    maker.post(f"{ROWS}process_import/", page.context["confirm_form"].initial)
    assert Lookup.objects.filter(name="Test-Areas").exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("DVM,outl brt test assettype\nA,B\n1,2\n", "There is a lookup OUTL-BRT-TEST_AssetType already"),
        ("DVM,New\nA,a\n1,2\n", "Each column needs a name of its own"),
    ],
)
def test_what_cannot_be_made_is_said(maker, asset_types, text, said):
    page = maker.post(f"{ROWS}import/", _sent(text))
    assert said in page.content.decode()
    assert "confirm_form" not in page.context


def test_a_name_taken_since_the_preview_is_said(maker):
    page = maker.post(f"{ROWS}import/", _sent(EXPORTED))
    Lookup.objects.create(name="Test_Regions", columns=["A", "B"])
    answer = maker.post(f"{ROWS}process_import/", page.context["confirm_form"].initial, follow=True)
    assert "There is a lookup Test_Regions already" in answer.content.decode()
    assert not Lookup.objects.filter(name="Test-Regions").exists()


def test_who_may_not_add_lookups_is_not_offered_it(business):
    page = business.post(f"{ROWS}import/", _sent(EXPORTED))
    assert "mode" in page.context["form"].errors
    assert "New: a new lookup" not in business.get(f"{ROWS}import/?mode=new").content.decode()
    assert "mode=new" not in business.get("/admin/lookups/lookup/").content.decode()


def test_the_lookups_page_and_list_lead_to_the_import(maker, client, asset_types):
    address = f"{ROWS}import/?lookup__id__exact={asset_types.pk}"
    assert address in maker.get(f"/admin/lookups/lookup/{asset_types.pk}/change/").content.decode()
    assert maker.get(address).context["form"].initial["lookup"] == asset_types
    assert f"{ROWS}import/?mode=new" in maker.get("/admin/lookups/lookup/").content.decode()


def test_rows_of_no_lookup_are_refused(maker):
    page = maker.post(f"{ROWS}import/", _sent(EXPORTED) | {"mode": "add"})
    assert "Choose the lookup" in page.content.decode()


def test_with_wrong_rows_nothing_is_made(db):
    sheet = sheet_read(b"CCS,DACS,Valid from\nN,North,soon\n", form="csv")
    made = lookup_make(name="Test-Regions", sheet=sheet)
    assert (made.saved, len(made.result.invalid_rows)) == (False, 1)
    assert not Lookup.objects.filter(name="Test-Regions").exists()
