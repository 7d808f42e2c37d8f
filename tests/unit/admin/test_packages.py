"""Packages: what goes out, what an import changes, what is kept, and what is refused."""

import hashlib
import io
import json
import zipfile
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.utils import timezone

from integrations.engine.faults import Conflict, InvalidMessage
from integrations.models import (
    AuditEntry,
    Connection,
    Flow,
    Mapping,
    MappingExtension,
    PackageImport,
    Schedule,
)
from integrations.services import package_read as reading
from integrations.services.extension_save import extension_problems
from integrations.services.package_export import package_export, package_names
from integrations.services.package_flows import flow_exported
from integrations.services.package_forget import packages_forget
from integrations.services.package_import import (
    package_apply,
    package_checks,
    package_preview,
    package_upload,
)
from integrations.services.package_read import package_read
from integrations.storage import payload_bytes
from lookups.models import Lookup, Row
from tests import factories
from tests.unit.admin.conftest import list_of, page_of, text_of

pytestmark = pytest.mark.django_db
PACKAGE = "outl.ba.ccs_dacs"
FLOW = "OUTL-BA-CCS_DACS_CUST_SYNC_FTP"
LIST = "/admin/integrations/packageimport/"


@pytest.fixture
def site(db):
    """A package with something of each kind."""
    flow = Flow.objects.get(identifier=FLOW)
    flow.retention_days, flow.active = 30, False
    flow.save()
    Schedule.objects.all().delete()
    factories.ScheduleFactory(
        flow=flow, name="nightly", cron="0 2 * * *", parameters={"extractedFileNamePrefix": "C1-DCTEX"}
    )
    flow.expected_files.create(name="extract", pattern="C1-*", cron="0 6 * * *")
    connection = factories.ConnectionFactory(
        name="A target",
        adapter="rest",
        package=PACKAGE,
        settings={"url": "https://one.example.org", "auth": "basic", "user": "u"},
        secrets={"password": "hunter2-very-secret"},
    )
    lookup = Lookup.objects.create(name="Codes", kind="table", columns=["CCS", "DACS"], package=PACKAGE)
    for cells in (["A", "1"], ["B", "2"]):
        Row.objects.create(lookup=lookup, cells=cells)
    mapping = factories.MappingFactory(flow=flow, name="own", expression='{"id": accountId}')
    factories.MappingExtensionFactory(mapping=mapping, sample={"accountId": "8800001"})
    return {"flow": flow, "connection": connection, "lookup": lookup, "mapping": mapping}


def exported(**more) -> bytes:
    return package_export(names=[PACKAGE], actor="conny", **more)


def unpacked(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(files: dict[str, bytes], *, signed: bool = True) -> bytes:
    """A zip of these files; `signed`: with the digests they have now."""
    if signed and "manifest.json" in files:
        manifest = json.loads(files["manifest.json"])
        manifest["files"] = {
            name: {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
            for name, data in files.items()
            if name != "manifest.json"
        }
        files = {**files, "manifest.json": json.dumps(manifest).encode()}
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return target.getvalue()


def edited(content: bytes, member: str, **changes) -> bytes:
    """The package with members of one item changed."""
    files = unpacked(content)
    (name,) = [one for one in files if one.startswith(member)]
    files[name] = json.dumps(json.loads(files[name]) | changes).encode()
    return packed(files)


def uploaded(content: bytes) -> PackageImport:
    return package_upload(content=content, name="p.zip", actor="conny")


def entry_of(entries, name: str):
    (found,) = [entry for entry in entries if entry.name == name]
    return found


def test_a_package_has_everything_but_secrets_and_samples(site):
    content = exported()
    assert not [data for data in unpacked(content).values() if b"hunter2" in data or b"8800001" in data]
    package = package_read(content)
    flow = next(item for item in package.items["flows"] if item["identifier"] == FLOW)
    assert flow["schedules"][0]["cron"] == "0 2 * * *"
    assert flow["expectedFiles"][0]["pattern"] == "C1-*"
    assert flow["retentionDays"] == 30
    connection = next(item for item in package.items["connections"] if item["name"] == "A target")
    assert connection["secrets"] == ["password"]
    assert [item["name"] for item in package.items["lookups"] if item["name"] == "Codes"] == ["Codes"]
    assert package.items["extensions"][0]["extensions"][0]["expression"] == '{"region": "north"}'
    assert AuditEntry.objects.get(action="package_export").detail["packages"] == [PACKAGE]


def test_samples_go_along_only_if_asked(site):
    assert b"8800001" in b"".join(unpacked(exported(samples=True)).values())


def test_the_same_content_is_the_same_files(site):
    first, second = unpacked(exported()), unpacked(exported())
    assert {**first, "manifest.json": b""} == {**second, "manifest.json": b""}


def test_a_package_there_is_none_of_is_said(site):
    with pytest.raises(InvalidMessage, match="There is no package nothing"):
        package_export(names=["nothing"], actor="conny")
    assert PACKAGE in package_names()


def test_its_own_export_changes_nothing(site):
    row = uploaded(exported())
    assert {entry["state"] for entry in row.report} == {"unchanged"}


def test_what_differs_is_shown_field_by_field_and_nothing_is_changed_yet(site):
    content = exported()
    site["connection"].settings = {"url": "https://two.example.org", "auth": "basic", "user": "u"}
    site["connection"].save()
    Schedule.objects.filter(name="nightly").update(cron="0 3 * * *")
    row = uploaded(content)
    entries = package_preview(row)
    connection = entry_of(entries, "A target")
    assert connection.changes == [("settings.url", "https://two.example.org", "https://one.example.org")]
    assert "stored secrets go to the new" in connection.notes[0]
    assert entry_of(entries, FLOW).changes == [("schedule nightly: cron", "0 3 * * *", "0 2 * * *")]
    assert Schedule.objects.get(name="nightly").cron == "0 3 * * *"
    assert row.state == "preview"


def test_an_import_brings_everything_to_a_hub_that_has_nothing_of_it(site):
    content = exported()
    site["connection"].delete()
    site["lookup"].delete()
    Schedule.objects.all().delete()
    site["flow"].expected_files.all().delete()
    MappingExtension.objects.all().delete()
    Flow.objects.filter(pk=site["flow"].pk).update(retention_days=None)
    entries = package_apply(row=uploaded(content), actor="conny")
    assert Schedule.objects.get().next_due_at is not None
    assert site["flow"].expected_files.count() == 1
    assert [row.cells for row in Lookup.objects.get(name="Codes").rows.order_by("position")] == [
        ["A", "1"],
        ["B", "2"],
    ]
    assert MappingExtension.objects.get().reason == "The site sends its region"
    assert Flow.objects.get(identifier=FLOW).retention_days == 30
    connection = Connection.objects.get(name="A target")
    assert connection.secrets == {}
    assert "Enter its secrets here: password" in entry_of(entries, "A target").notes
    assert {entry.state for entry in entries} <= {"added", "changed", "unchanged"}
    assert not [note for entry in entries for note in entry.notes if "Not as in the package" in note]


def test_secrets_that_are_here_stay(site):
    content = edited(exported(), "connections/A_target", description="Another")
    package_apply(row=uploaded(content), actor="conny")
    connection = Connection.objects.get(name="A target")
    assert (connection.description, connection.secrets["password"]) == ("Another", "hunter2-very-secret")


def test_the_backup_brings_back_what_was(site):
    package_apply(row=uploaded(exported()), actor="conny")
    content = edited(exported(), f"flows/{FLOW}", retentionDays=7)
    files = unpacked(content)
    files["lookups/Codes.json"] = files["lookups/Codes.json"].replace(b'"2"', b'"22"')
    row = uploaded(packed(files))
    package_apply(row=row, actor="conny")
    assert Flow.objects.get(identifier=FLOW).retention_days == 7
    assert Row.objects.get(lookup=site["lookup"], cells=["B", "22"])
    backup = payload_bytes(PackageImport.objects.get(pk=row.pk).backup)
    package_apply(row=uploaded(backup), actor="conny")
    assert Flow.objects.get(identifier=FLOW).retention_days == 30
    assert Row.objects.get(lookup=site["lookup"], cells=["B", "2"])


def test_a_row_changed_on_both_sides_stays_and_is_told(site):
    content = exported()
    package_apply(row=uploaded(content), actor="conny")
    row = site["lookup"].rows.first()
    row.cells = ["A", "mine"]
    row.save()
    files = unpacked(content)
    files["lookups/Codes.json"] = files["lookups/Codes.json"].replace(b'"1"', b'"theirs"')
    entries = package_apply(row=uploaded(packed(files)), actor="conny")
    codes = entry_of(entries, "Codes")
    assert ("row A (conflict)", "A | mine", "A | theirs") in codes.changes
    assert "changed on both sides" in codes.notes[0]
    row.refresh_from_db()
    assert row.cells == ["A", "mine"]


def test_an_item_that_cannot_be_is_left_out_and_the_others_arrive(site):
    files = unpacked(exported())
    gone = json.loads(files[f"flows/{FLOW}.json"]) | {"identifier": "OUTL-NOT-INSTALLED"}
    files["flows/gone.json"] = json.dumps(gone).encode()
    bad = json.loads(files["connections/A_target.json"]) | {"settings": {"url": "ftp://x"}}
    files["connections/A_target.json"] = json.dumps(bad).encode()
    changed = json.loads(files[f"flows/{FLOW}.json"]) | {"retentionDays": 5}
    files[f"flows/{FLOW}.json"] = json.dumps(changed).encode()
    entries = package_apply(row=uploaded(packed(files)), actor="conny")
    assert "does not have this flow" in entry_of(entries, "OUTL-NOT-INSTALLED").problems[0]
    assert "Base URL" in entry_of(entries, "A target").problems[0]
    assert Connection.objects.get(name="A target").settings["url"] == "https://one.example.org"
    assert Flow.objects.get(identifier=FLOW).retention_days == 5


def test_a_schedule_that_would_never_fire_is_left_out_with_its_reason(site):
    content = exported()
    item = json.loads(unpacked(content)[f"flows/{FLOW}.json"])
    item["schedules"][0]["cron"] = "99 2 * * *"
    entries = package_apply(row=uploaded(edited(content, f"flows/{FLOW}", **item)), actor="conny")
    assert "Schedule nightly is left out: '99 2 * * *' is no cron" in " ".join(entry_of(entries, FLOW).notes)
    assert Schedule.objects.get(name="nightly").cron == "0 2 * * *"


def test_a_flow_that_lacks_something_is_not_switched_on_and_says_so(site):
    content = edited(exported(), f"flows/{FLOW}", active=True)
    entries = package_apply(row=uploaded(content), actor="conny")
    assert "It is not switched on yet" in " ".join(entry_of(entries, FLOW).notes)
    assert not Flow.objects.get(identifier=FLOW).active


def test_a_clone_arrives_with_what_stands_for_what(site):
    files = unpacked(exported())
    clone = json.loads(files[f"flows/{FLOW}.json"]) | {
        "identifier": "SITE-CUST-SYNC-NORTH",
        "name": "North",
        "cloneOf": FLOW,
        "standsFor": {},
    }
    files["flows/clone.json"] = json.dumps(clone).encode()
    package_apply(row=uploaded(packed(files)), actor="conny")
    made = Flow.objects.get(identifier="SITE-CUST-SYNC-NORTH")
    assert (made.clone_of.identifier, made.name, made.active) == (FLOW, "North", False)
    assert made.schedules.count() == 1


def test_something_unforeseen_takes_back_the_whole(site, monkeypatch):
    content = edited(exported(), "connections/A_target", description="Another")
    row = uploaded(edited(content, f"flows/{FLOW}", retentionDays=1))
    from integrations.services import package_import  # noqa: PLC0415

    def breaks(*_):
        raise RuntimeError("the disk is full")

    monkeypatch.setitem(package_import._WRITE, "flows", breaks)
    with pytest.raises(RuntimeError):
        package_apply(row=row, actor="conny")
    row.refresh_from_db()
    assert row.state == "preview"
    assert Connection.objects.get(name="A target").description == ""


def test_a_package_is_imported_once(site):
    row = uploaded(exported())
    package_apply(row=row, actor="conny")
    with pytest.raises(Conflict):
        package_apply(row=row, actor="conny")


def test_an_expression_and_a_description_as_long_as_the_hub_takes_are_read_back(site):
    MappingExtension.objects.update(expression='{"a": "' + "x" * 90_000 + '"}')
    Lookup.objects.filter(pk=site["lookup"].pk).update(description="d" * 30_000)
    assert len(package_read(exported()).items["extensions"][0]["extensions"][0]["expression"]) > 90_000


def test_nothing_is_imported_where_the_backup_could_not_be_read_back(site, monkeypatch):
    row = uploaded(edited(exported(), f"flows/{FLOW}", retentionDays=7))
    MappingExtension.objects.update(sample={"text": "x" * 20_000})
    monkeypatch.setattr(reading, "LARGEST_OTHER", 15_000)
    with pytest.raises(InvalidMessage, match="the backup of what is here could not be read back"):
        package_apply(row=row, actor="conny")
    row.refresh_from_db()
    assert (row.state, Flow.objects.get(identifier=FLOW).retention_days) == ("preview", 30)


def test_extensions_are_tried_before_the_transaction_and_never_within(site, monkeypatch):
    content = exported()
    MappingExtension.objects.update(expression='{"region": "south"}')
    depth, asked = len(connection.savepoint_ids), []

    def seen(extension, **more):
        asked.append(len(connection.savepoint_ids) - depth)
        return extension_problems(extension, **more)

    row = uploaded(content)
    for module in ("package_extensions", "extension_save"):
        monkeypatch.setattr(f"integrations.services.{module}.extension_problems", seen)
    package_apply(row=row, actor="conny")
    assert asked == [0]
    assert MappingExtension.objects.get().expression == '{"region": "north"}'


def test_a_clones_extensions_are_tried_with_its_originals_mapping(site):
    base = Mapping.objects.exclude(name="own").filter(flow__clone_of=None, flow__present=True).first()
    files = unpacked(exported())
    clone = {"identifier": "SITE-NORTH", "name": "North", "cloneOf": base.flow.identifier, "standsFor": {}}
    flow = flow_exported(base.flow) | clone | {"active": False}
    files["flows/clone.json"] = json.dumps(flow).encode()
    (name,) = [one for one in files if one.startswith("extensions/")]
    item = json.loads(files[name]) | {"flow": "SITE-NORTH", "mapping": base.name}
    item["extensions"].append(item["extensions"][0] | {"expression": "{", "pointer": "/x"})
    files["extensions/clone.json"] = json.dumps(item).encode()
    entries = package_apply(row=uploaded(packed(files)), actor="conny")
    assert "at /x is left out" in " ".join(entry_of(entries, f"SITE-NORTH: {base.name}").notes)
    made = MappingExtension.objects.get(mapping__flow__identifier="SITE-NORTH")
    assert made.expression == '{"region": "north"}'


def test_what_changes_between_the_look_and_the_import_stops_it(site, monkeypatch):
    row = uploaded(edited(exported(), f"flows/{FLOW}", retentionDays=7))

    def edited_meanwhile(package):
        Flow.objects.filter(identifier=FLOW).update(retention_days=11)
        return package_checks(package)

    monkeypatch.setattr("integrations.services.package_import.package_checks", edited_meanwhile)
    with pytest.raises(Conflict, match="Somebody changed"):
        package_apply(row=row, actor="conny")
    row.refresh_from_db()
    assert (row.state, Flow.objects.get(identifier=FLOW).retention_days) == ("preview", 11)


def test_packages_nobody_imported_and_old_files_are_let_go(site, settings):
    unused, done, recent = (uploaded(exported()) for _ in range(3))
    package_apply(row=done, actor="conny")
    day, now = timedelta(days=1), timezone.now()
    PackageImport.objects.filter(pk=unused.pk).update(created_at=now - 8 * day)
    PackageImport.objects.filter(pk=done.pk).update(imported_at=now - (settings.HUB_RETENTION_DAYS + 1) * day)
    assert packages_forget() == 2
    done.refresh_from_db()
    assert (done.file, done.backup, bool(done.report)) == (None, None, True)
    assert set(PackageImport.objects.values_list("pk", flat=True)) == {done.pk, recent.pk}


# -- hostile files ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "../evil.json",
        "/etc/passwd",
        "flows/../../evil.json",
        "flows/x/y.json",
        "flows\\x.json",
        "flows/.hidden.json",
        "flows/x.exe",
        "readme.txt",
        "flows/",
        "flows/x\x00.json",
    ],
)
def test_a_member_no_package_has_is_refused(site, name):
    with pytest.raises(InvalidMessage, match=r"which no package has|its manifest does not name|no zip"):
        package_read(packed(unpacked(exported()) | {name: b"{}"}, signed=False))


def test_a_changed_file_is_refused_by_its_digest(site):
    files = unpacked(exported())
    files[f"flows/{FLOW}.json"] += b" "
    with pytest.raises(InvalidMessage, match="its digest differs"):
        package_read(packed(files, signed=False))


def test_a_missing_file_and_one_too_many_are_refused(site):
    files = unpacked(exported())
    extra = files | {"flows/extra.json": b"{}"}
    with pytest.raises(InvalidMessage, match="manifest does not name"):
        package_read(packed(extra, signed=False))
    files.pop(f"flows/{FLOW}.json")
    with pytest.raises(InvalidMessage, match="which is not in the file"):
        package_read(packed(files, signed=False))


def test_a_bomb_is_refused_without_being_unpacked(site, monkeypatch):
    monkeypatch.setattr(reading, "LARGEST_OTHER", 100_000)
    with pytest.raises(InvalidMessage, match="too large when unpacked"):
        package_read(packed({"manifest.json": b"0" * 200_000}, signed=False))
    monkeypatch.setattr(reading, "LARGEST_MEMBER", 300_000)
    with pytest.raises(InvalidMessage, match="too large when unpacked"):
        package_read(packed({"lookups/a.json": b"0" * 400_000}, signed=False))


def test_too_many_values_are_refused_before_any_is_read(site, monkeypatch):
    monkeypatch.setattr(reading, "MOST_VALUES", 20_000)
    package_read(exported())
    monkeypatch.setattr(reading, "_json", lambda *_: pytest.fail("read"))
    halves = {f"lookups/{name}.json": b"[" + b"[]," * 5_001 + b"[]]" for name in "ab"}
    with pytest.raises(InvalidMessage, match="more than 20,000 values"):
        package_read(packed(halves, signed=False))


@pytest.mark.parametrize("said", ["2024-99-99", "0000-01-01", "soon", "20²4-01-01"])
def test_a_day_that_is_none_is_refused_at_its_place(site, said):
    files = unpacked(exported())
    name = "connections/A_target.json"
    files[name] = json.dumps(json.loads(files[name]) | {"secretsExpireOn": said}).encode()
    with pytest.raises(InvalidMessage, match=r"at /secretsExpireOn: .* is not a 'date'"):
        package_read(packed(files))


def test_many_small_bombs_are_refused_too(monkeypatch):
    monkeypatch.setattr(reading, "LARGEST_WHOLE", 100_000)
    with pytest.raises(InvalidMessage, match="too large when unpacked"):
        package_read(packed({f"flows/{n}.json": b"0" * 40_000 for n in range(4)}, signed=False))


def test_too_many_members_and_too_large_a_file_are_refused(monkeypatch):
    monkeypatch.setattr(reading, "MOST_MEMBERS", 3)
    with pytest.raises(InvalidMessage, match="more than 3 members"):
        package_read(packed({f"flows/{n}.json": b"{}" for n in range(4)}, signed=False))
    monkeypatch.setattr(reading, "LARGEST_ZIP", 100)
    with pytest.raises(InvalidMessage, match="larger than"):
        package_read(b"x" * 101)


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x03\x04 broken"])
def test_what_is_no_zip_is_refused(content):
    with pytest.raises(InvalidMessage, match="no zip file"):
        package_read(content)


@pytest.mark.parametrize(
    ("manifest", "said"),
    [
        (b"[1]", "at its beginning"),
        (b"{", "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b'{"format": "other"}', "manifest.json"),
    ],
)
def test_a_manifest_that_is_none_is_refused(manifest, said):
    with pytest.raises(InvalidMessage, match=said):
        package_read(packed({"manifest.json": manifest}, signed=False))


def test_a_newer_format_is_refused(site):
    files = unpacked(exported())
    files["manifest.json"] = files["manifest.json"].replace(b'"formatVersion": 1', b'"formatVersion": 2')
    with pytest.raises(InvalidMessage, match="of format 2"):
        package_read(packed(files, signed=False))


def test_a_wrong_value_is_named_by_its_place(site):
    with pytest.raises(InvalidMessage, match=r"connections/A_target.json, at /retries: 'many' is not"):
        package_read(edited(exported(), "connections/A_target", retries="many"))


def test_one_item_twice_is_refused(site):
    files = unpacked(exported())
    files["connections/again.json"] = files["connections/A_target.json"]
    with pytest.raises(InvalidMessage, match="A target 2 times"):
        package_read(packed(files))


def test_one_member_twice_is_refused(site):
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("manifest.json", b"{}")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("manifest.json", b"{}")
    with pytest.raises(InvalidMessage, match="twice"):
        package_read(target.getvalue())


# -- pages ---------------------------------------------------------------------------------------------------------


def test_the_page_lists_packages_and_exports_those_chosen(configurator, site):
    said = text_of(configurator.get(LIST))
    assert PACKAGE in said
    answer = configurator.post(LIST + "export/", {"package": [PACKAGE]})
    assert answer.headers["Content-Disposition"].startswith(f'attachment; filename="busbar-{PACKAGE}-')
    assert package_read(answer.content).manifest["packages"] == [PACKAGE]


def test_a_person_uploads_looks_imports_and_sees_what_arrived(configurator, site):
    content = edited(exported(), f"flows/{FLOW}", retentionDays=9)
    file = SimpleUploadedFile("ours.zip", content, "application/zip")
    shown = text_of(configurator.post(LIST + "upload/", {"file": file}, follow=True))
    assert "What it would change" in shown
    assert "retentionDays" in shown
    row = PackageImport.objects.get()
    shown = text_of(configurator.post(page_of(row, "apply"), follow=True))
    assert "What arrived" in shown
    assert "Imported: 1 changed" in shown
    backup = configurator.get(f"{LIST}{row.pk}/file/backup/")
    assert package_read(backup.content).items["flows"][0]["retentionDays"] in (30, None)
    assert AuditEntry.objects.filter(action="package_download").exists()
    assert "ours.zip" in text_of(configurator.get(list_of(PackageImport)))


def test_a_file_that_is_no_package_is_said_on_the_page(configurator, db):
    file = SimpleUploadedFile("x.zip", b"nothing", "application/zip")
    assert "no zip file" in text_of(configurator.post(LIST + "upload/", {"file": file}, follow=True))
    assert "Choose a file" in text_of(configurator.post(LIST + "upload/", follow=True))
    assert not PackageImport.objects.exists()


@pytest.mark.parametrize("who", ["viewer", "operator"])
def test_who_does_not_configure_is_refused_everywhere(who, request, site):
    browser = request.getfixturevalue(who)
    row = uploaded(exported())
    answers = [
        browser.post(LIST + "export/"),
        browser.post(LIST + "upload/"),
        browser.post(page_of(row, "apply")),
        browser.get(f"{LIST}{row.pk}/file/package/"),
    ]
    assert {answer.status_code for answer in answers} == {403}
    assert AuditEntry.objects.filter(action="refused").count() == 4
    assert browser.get(LIST).status_code == 403
    assert browser.get(page_of(row)).status_code == 403
    assert "packageimport" not in text_of(browser.get("/admin/"))


def test_a_get_exports_and_uploads_nothing(configurator, db):
    assert configurator.get(LIST + "export/").status_code == 405
    assert configurator.get(LIST + "upload/").status_code == 405
