import pytest
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from lookups.models import Lookup, Row
from lookups.services import row_save
from lookups.usage import _sources, usage_from

ROWS = "/admin/lookups/row/"


def listing(lookup, **more):
    query = "&".join([f"lookup__id__exact={lookup.pk}", *(f"{key}={value}" for key, value in more.items())])
    return f"{ROWS}?{query}"


def posted(page, **changes):
    """What a browser sends back from a list: every field of the page, with changes."""
    formset = page.context["cl"].formset
    data = {"_save": "Save"}
    data |= {field.html_name: field.value() for field in formset.management_form}
    for form in formset.forms:
        for field in form:
            data[field.html_name] = field.value() if field.value() is not None else ""
            if field.field.show_hidden_initial:
                data[field.html_initial_name] = field.value()
    return data | changes


def form_of(page, row):
    return next(form.prefix for form in page.context["cl"].formset.forms if form.instance.pk == row.pk)


def test_the_list_shows_package_kind_rows_and_users(business, config):
    usage_from(lambda: {"outl_brt_ccs_dacs_configprops": ["FLOW-A", "FLOW-B"]})
    page = business.get("/admin/lookups/lookup/").content.decode()
    _sources.pop()
    for said in ("outl.ba.ccs_dacs", "Property list", "15 rows", "FLOW-A, FLOW-B", listing(config)):
        assert said in page


def test_a_lookups_rows_have_its_columns(admin_client, asset_types):
    page = admin_client.get(listing(asset_types))
    assert page.context["cl"].list_display[2:4] == ["cell_0", "cell_1"]
    assert ">DERMS<" in "".join(page.content.decode().split())
    assert 'value="X1TH"' in page.content.decode()


def test_rows_of_all_lookups_are_searched(business, asset_types):
    page = business.get(f"{ROWS}?q=X1TH").content.decode()
    assert "THERMOSTAT" in page
    assert "SENT-" not in page


def test_a_value_is_edited_in_place_with_history(business, business_admin, config, flag):
    page = business.get(listing(config))
    answer = business.post(listing(config), posted(page, **{f"{form_of(page, flag)}-cell_1": "false"}))
    assert answer.status_code == 302
    flag.refresh_from_db()
    assert flag.cells[1] == "false"
    change = Row.history.filter(id=flag.pk).latest()
    assert (change.history_user, change.before["cells"][1]) == (business_admin, "true")
    assert Row.history.filter(history_type="~").count() == 1


def test_enter_in_a_cell_saves_and_is_no_action(business, config, flag):
    page = business.get(listing(config))
    data = posted(page, **{f"{form_of(page, flag)}-cell_1": "false"}) | {"index": "0", "action": ""}
    del data["_save"]
    assert business.post(listing(config), data).status_code == 302
    assert config.rows.get(pk=flag.pk).cells[1] == "false"


def test_a_flag_is_a_choice_on_the_page(business, config, flag):
    page = business.get(listing(config))
    form = next(form for form in page.context["cl"].formset.forms if form.instance.pk == flag.pk)
    assert [value for value, _ in form.fields["cell_1"].choices] == ["true", "false"]


def test_a_bad_value_in_place_is_told_and_not_saved(business, config):
    row = config.rows.get(folded="ccs.error.ack.message.number")
    page = business.get(listing(config))
    answer = business.post(listing(config), posted(page, **{f"{form_of(page, row)}-cell_1": "many"}))
    assert "ccs.error.ack.message.number is &#x27;many&#x27;, not a whole number" in answer.content.decode()
    assert config.rows.get(pk=row.pk).cells[1] == "11001"


def test_a_page_does_not_undo_what_another_person_saved_meanwhile(business, config, flag):
    page = business.get(listing(config))
    other = config.rows.get(folded="ccs.prefixtag.file.uploaded")
    other.cells[1] = "MEANWHILE-"
    row_save(row=other)
    business.post(listing(config), posted(page, **{f"{form_of(page, flag)}-cell_1": "false"}))
    assert config.rows.get(pk=other.pk).cells[1] == "MEANWHILE-"
    assert config.rows.get(pk=flag.pk).cells[1] == "false"


def test_the_name_column_is_no_field_for_a_business_admin(business, config, flag):
    page = business.get(listing(config))
    prefix = form_of(page, flag)
    assert list(page.context["cl"].list_editable) == ["cell_1"]
    business.post(
        listing(config), posted(page, **{f"{prefix}-cell_0": "renamed", f"initial-{prefix}-cell_0": "x"})
    )
    assert config.rows.get(pk=flag.pk).cells[0] == "notification.email.error.flag"


def test_who_may_edit_keys_renames_a_property_on_its_page(business, business_admin, config, flag):
    business_admin.user_permissions.add(Permission.objects.get(codename="edit_keys"))
    data = {"cell_0": "renamed.flag", "cell_1": "true", "cell_2": "", "kind": "boolean", "required": "on"}
    assert business.post(f"{ROWS}{flag.pk}/change/", data).status_code == 302
    assert config.rows.get(pk=flag.pk).cells == ["renamed.flag", "true", ""]


def test_a_rows_page_lets_a_business_admin_change_the_value_only(business, config, flag):
    url = reverse("admin:lookups_row_change", args=[flag.pk])
    fields = list(business.get(url).context["adminform"].form.fields)
    assert [name for name in fields if name.startswith("cell_") or name in ("kind", "required")] == ["cell_1"]
    business.post(url, {"cell_1": "false", "cell_0": "renamed", "kind": "text"})
    flag.refresh_from_db()
    assert (flag.cells[:2], flag.kind) == (["notification.email.error.flag", "false"], "boolean")


def test_a_business_admin_neither_adds_nor_deletes_properties(business, config, flag):
    assert business.get(f"{ROWS}add/?lookup__id__exact={config.pk}").status_code == 403
    assert business.post(f"{ROWS}add/?lookup__id__exact={config.pk}", {"cell_0": "x"}).status_code == 403
    assert business.post(f"{ROWS}{flag.pk}/delete/", {"post": "yes"}).status_code == 403
    business.post(
        listing(config), {"action": "delete_selected", "_selected_action": [flag.pk], "post": "yes"}
    )
    assert config.rows.filter(pk=flag.pk).exists()


def test_a_business_admin_adds_and_deletes_rows_of_a_table(business, asset_types):
    answer = business.post(
        f"{ROWS}add/?lookup__id__exact={asset_types.pk}", {"cell_0": "BATTERY", "cell_1": "X1BA"}
    )
    assert (answer.status_code, answer.url) == (302, listing(asset_types))
    row = asset_types.rows.last()
    assert (row.cells, row.position) == (["BATTERY", "X1BA"], 4)
    assert business.post(f"{ROWS}{row.pk}/delete/", {"post": "yes"}).status_code == 302
    assert asset_types.rows.count() == 3


def test_a_configurator_sets_what_a_property_may_be(admin_client, config):
    url = f"{ROWS}add/?lookup__id__exact={config.pk}"
    data = {
        "cell_0": "site.mode",
        "cell_1": "fast",
        "cell_2": "",
        "kind": "choice",
        "choices": "fast\nslow",
        "default": "",
    }
    assert admin_client.post(url, data).status_code == 302
    assert config.rows.get(folded="site.mode").choices == ["fast", "slow"]


def test_a_row_is_added_from_its_lookups_list(admin_client, db):
    assert admin_client.get(f"{ROWS}add/").url == "/admin/lookups/lookup/"


def test_five_hundred_rows_are_edited_in_place_a_page_at_a_time(admin_client, db):
    lookup = Lookup.objects.create(name="Big", columns=[f"C{n}" for n in range(10)])
    Row.objects.bulk_create(
        Row(lookup=lookup, cells=[f"{n}-{at}" for at in range(10)], position=n) for n in range(500)
    )
    page = admin_client.get(listing(lookup, p=3))
    forms = page.context["cl"].formset.forms
    assert len(forms) == 100
    changes = {f"{form.prefix}-cell_{at}": f"new {form.prefix} {at}" for form in forms for at in range(10)}
    assert admin_client.post(listing(lookup, p=3), posted(page, **changes)).status_code == 302
    assert Row.objects.filter(lookup=lookup, text__startswith="new").count() == 100
    assert Row.history.filter(history_type="~", lookup=lookup).count() == 100


def test_a_list_of_hundred_rows_costs_few_queries(admin_client, db, django_assert_max_num_queries):
    lookup = Lookup.objects.create(name="Big", columns=["A", "B"])
    Row.objects.bulk_create(Row(lookup=lookup, cells=[str(n), "x"], position=n) for n in range(150))
    with django_assert_max_num_queries(25):
        admin_client.get(listing(lookup))


def upload(lookup, text, name="rows.csv", form="0", mode="add"):
    file = SimpleUploadedFile(name, text.encode())
    return {"lookup": lookup.pk, "import_file": file, "format": form, "mode": mode, "resource": "0"}


def test_an_import_is_previewed_then_confirmed(business, business_admin, asset_types):
    page = business.post(f"{ROWS}import/", upload(asset_types, "DERMS,DACS\nEVSE,X1NEW\nBATTERY,X1BA\n"))
    assert [row.import_type for row in page.context["result"].rows] == ["update", "new"]
    assert asset_types.rows.count() == 3
    answer = business.post(f"{ROWS}process_import/", page.context["confirm_form"].initial)
    assert (answer.status_code, answer.url) == (302, listing(asset_types))
    assert asset_types.rows.count() == 4
    assert Row.history.latest().history_user == business_admin


def test_a_preview_shows_the_errors_of_three_bad_rows_and_offers_no_confirmation(business, config):
    text = (
        "Property Name,Value\nnotification.email.error.flag,maybe\n"
        "ccs.error.ack.message.number,many\ndacs.file.target.transfer.pref,smb\n"
    )
    page = business.post(f"{ROWS}import/", upload(config, text))
    assert "confirm_form" not in page.context
    shown = page.content.decode()
    for said in ("not true or false", "not a whole number", "not one of ftp, os"):
        assert said in shown


def test_the_good_rows_are_imported_alone_where_that_is_chosen(business, config):
    text = "Property Name,Value\nnotification.email.error.flag,maybe\nccs.prefixtag.file.uploaded,DONE-\n"
    page = business.post(f"{ROWS}import/", upload(config, text))
    assert page.context["good"] == 1
    assert config.rows.get(folded="ccs.prefixtag.file.uploaded").cells[1] == "SENT-"
    chosen = page.context["partial_form"].initial
    told = business.post(f"{ROWS}process_import/", chosen, follow=True).content.decode()
    assert "Left out: Line 2: notification.email.error.flag is" in told
    assert config.rows.get(folded="ccs.prefixtag.file.uploaded").cells[1] == "DONE-"
    assert config.rows.get(folded="notification.email.error.flag").cells[1] == "true"


@pytest.mark.parametrize(
    ("text", "said"), [("A,B\n1,2,3\n", "Line 2 has 3 cells"), ("X,Y\n1,2\n", "the file has")]
)
def test_a_file_that_cannot_be_read_is_explained(business, asset_types, text, said):
    page = business.post(f"{ROWS}import/", upload(asset_types, text)).content.decode()
    assert said in page
    assert "Traceback" not in page


def test_the_import_page_names_the_lookup_one_came_from(business, asset_types):
    page = business.get(f"{ROWS}import/", headers={"Referer": f"http://testserver{listing(asset_types)}"})
    assert page.context["form"].initial["lookup"] == asset_types
    assert page.context["fields_list"][0][1] == ["DERMS", "DACS", "Valid from", "Valid until"]


def test_an_upload_that_is_gone_is_said(business, asset_types):
    data = {"import_file_name": "gone", "original_file_name": "x.csv", "format": "0", "resource": "0"}
    answer = business.post(
        f"{ROWS}process_import/", data | {"lookup": asset_types.pk, "mode": "add"}, follow=True
    )
    assert "upload it again" in answer.content.decode()


def test_a_lookup_is_exported_escaped_under_its_name(business, asset_types):
    row_save(row=Row(lookup=asset_types, cells=["=cmd", "X"]))
    answer = business.post(
        f"{ROWS}export/?lookup__id__exact={asset_types.pk}", {"format": "0", "resource": "0"}
    )
    assert answer.content.decode("utf-8-sig").splitlines() == [
        "DERMS,DACS",
        "THERMOSTAT,X1TH",
        "thermostat,lower",
        "EVSE,X1EV",
        "'=cmd,X",
    ]
    assert "outlbrttestassettype.csv" in answer["Content-Disposition"]


def test_an_export_needs_a_lookup(business, db):
    assert business.get(f"{ROWS}export/").url == "/admin/lookups/lookup/"


def test_history_shows_old_and_new_and_reverts_one_change(business, business_admin, config, flag):
    flag.cells[1] = "false"
    row_save(row=flag, person=business_admin)
    url = business.get(f"{ROWS}{flag.pk}/history/").url
    page = business.get(url).content.decode()
    assert "Value: <del>true</del> → <ins>false</ins>" in page
    assert "bea" in page
    change = Row.history.filter(id=flag.pk).latest()
    business.post(url, {"action": "revert", "_selected_action": [change.pk]})
    assert config.rows.get(pk=flag.pk).cells[1] == "true"


def test_who_may_only_look_reverts_edits_and_imports_nothing(client, config, flag, business_admin):
    business_admin.user_permissions.set(Permission.objects.filter(codename__in=["view_row", "view_lookup"]))
    client.force_login(business_admin)
    page = client.get(listing(config))
    assert page.context["cl"].formset is None
    assert client.post(listing(config), {"_save": "Save", "form-TOTAL_FORMS": 0}).status_code == 403
    assert client.get(f"{ROWS}import/").status_code == 403
    flag.cells[1] = "false"
    row_save(row=flag)
    changes = "/admin/lookups/historicalrow/"
    client.post(changes, {"action": "revert", "_selected_action": [Row.history.latest().pk]})
    assert config.rows.get(pk=flag.pk).cells[1] == "false"
    assert "Revert the selected" not in client.get(changes).content.decode()


def test_the_pages_of_lookups_and_aliases_open(admin_client, config):
    assert admin_client.get(f"/admin/lookups/lookup/{config.pk}/change/").status_code == 200
    assert admin_client.get(f"/admin/lookups/lookup/{config.pk}/history/", follow=True).status_code == 200
    assert admin_client.get("/admin/lookups/lookup/add/").status_code == 200
    assert "ccs.prefixtag.fileuploaded" in admin_client.get("/admin/lookups/alias/").content.decode()


def test_a_lookup_is_made_with_its_columns_a_line_each(admin_client, db):
    data = {"name": "New", "kind": "table", "package": "", "description": "", "columns": "A\nB\n\n C "}
    assert admin_client.post("/admin/lookups/lookup/add/", data).status_code == 302
    assert Lookup.objects.get(name="New").columns == ["A", "B", "C"]


def test_a_lookup_is_deleted_with_its_rows_and_their_history_stays(admin_client, admin_user, asset_types):
    assert (
        admin_client.post(f"/admin/lookups/lookup/{asset_types.pk}/delete/", {"post": "yes"}).status_code
        == 302
    )
    assert not Row.objects.filter(lookup=asset_types.pk).exists()
    gone = Row.history.filter(lookup=asset_types.pk, history_type="-")
    assert {change.history_user for change in gone} == {admin_user}
    assert gone.count() == 3
    assert "EVSE" in admin_client.get("/admin/lookups/historicalrow/").content.decode()
