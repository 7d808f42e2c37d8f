"""Packages: what there is, exporting it, and importing: look first, then apply with a backup."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Count
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.safestring import SafeString

from hub.theme import display
from integrations.admin.base import PostAction, RecordAdmin, actor_of, address_of, refuse
from integrations.engine.faults import Fault
from integrations.models import Connection, Flow, MappingExtension, PackageImport, Payload
from integrations.present import badge
from integrations.services.audit import audit
from integrations.services.package_export import package_export
from integrations.services.package_import import ZIP, package_apply, package_preview, package_upload
from integrations.services.package_read import LARGEST_ZIP
from integrations.storage import StorageError, payload_bytes
from lookups.models import Lookup

MAY = "integrations.package_flow"
GROUPS = (
    ("flows", "Flows"),
    ("connections", "Connections"),
    ("lookups", "Lookups"),
    ("extensions", "Extensions"),
)


def package_counts() -> list[dict[str, Any]]:
    """Each package with how many of what it has."""
    found: dict[str, dict[str, Any]] = {}
    for kind, model, column in (
        ("flows", Flow, "package"),
        ("connections", Connection, "package"),
        ("lookups", Lookup, "package"),
        ("extensions", MappingExtension, "mapping__flow__package"),
    ):
        rows = model._default_manager.order_by().values_list(column).annotate(number=Count("pk"))
        for name, number in rows:
            found.setdefault(name, {"name": name})[kind] = number
    return [found[name] | {"said": _said(found[name])} for name in sorted(found) if name]


def _said(one: dict[str, Any]) -> str:
    """`6 flows, 9 connections, 1 lookup`."""
    parts = [(kind, one.get(kind, 0)) for kind, _ in GROUPS]
    return ", ".join(f"{count} {kind if count != 1 else kind[:-1]}" for kind, count in parts if count)


@admin.register(PackageImport)
class PackageAdmin(RecordAdmin[PackageImport]):
    """The packages, and below them what was imported."""

    post_actions = (PostAction("apply", MAY),)
    panel_template = "admin/integrations/package/page.html"
    list_display = ("name", "state_now", "of", "actor", "created_at", "imported_at")
    list_filter = ("state",)
    actions = None

    class Media:
        """The list of packages."""

        css = {"all": ["integrations/alerts.css"]}

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who may export and import; others see these settings nowhere."""
        return request.user.has_perm(MAY)

    def has_module_permission(self, request: HttpRequest) -> bool:
        """The same."""
        return request.user.has_perm(MAY)

    @display(description="State", ordering="state")
    def state_now(self, row: PackageImport) -> SafeString:
        """In colour."""
        good = row.state == PackageImport.State.IMPORTED
        return badge(row.state, str(row.get_state_display()), "good" if good else "plain")

    @display(description="Packages")
    def of(self, row: PackageImport) -> str:
        """What it says it holds."""
        return ", ".join(row.packages)

    def get_urls(self) -> list[URLPattern]:
        """Export, upload and the backup's download, before the stock ones."""
        wrap = self.admin_site.admin_view
        own = [
            path("export/", wrap(self.export_view), name=self.url_name("export")),
            path("upload/", wrap(self.upload_view), name=self.url_name("upload")),
            path("<int:number>/file/<str:which>/", wrap(self.file_view), name=self.url_name("file")),
        ]
        return own + super().get_urls()

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """The packages and the forms stand above the list."""
        shown = {
            "above_list": "admin/integrations/package/above.html",
            "packages": package_counts() if request.user.has_perm(MAY) else [],
            "largest": LARGEST_ZIP,
            "title": "Packages",
        }
        return super().changelist_view(request, shown | (extra_context or {}))

    def export_view(self, request: HttpRequest) -> HttpResponse:
        """POST `package` (any number; none: all) and `samples`; the zip."""
        if (answer := self._unless_post(request, "export")) is not None:
            return answer
        names = request.POST.getlist("package")
        try:
            content = package_export(
                names=names,
                samples=bool(request.POST.get("samples")),
                actor=actor_of(request),
                address=address_of(request),
            )
        except Fault as fault:
            self.say_fault(request, fault)
            return self._to_list()
        part = names[0] if len(names) == 1 else "packages"
        return _attached(content, f"busbar-{part}-{timezone.now():%Y%m%d-%H%M}.zip")

    def upload_view(self, request: HttpRequest) -> HttpResponse:
        """POST `file`; the page that says what it would change."""
        if (answer := self._unless_post(request, "upload")) is not None:
            return answer
        file = request.FILES.get("file")
        if file is None:
            self.message_user(request, "Choose a file first.", messages.ERROR)
            return self._to_list()
        content = file.read(LARGEST_ZIP + 1)
        try:
            row = package_upload(
                content=content, name=str(file.name), actor=actor_of(request), address=address_of(request)
            )
        except Fault as fault:
            self.say_fault(request, fault)
            return self._to_list()
        return self.back_to(row)

    def file_view(self, request: HttpRequest, number: int, which: str) -> HttpResponse:
        """The uploaded file (`package`) or what it changed, as it was before (`backup`)."""
        if not request.user.has_perm(MAY):
            refuse(request, action="download", subject=f"packageimport:{number}")
        row = PackageImport.objects.filter(pk=number).first()
        kept: Payload | None = None if row is None else row.backup if which == "backup" else row.file
        if row is None or kept is None:
            return self.gone(request, str(number))
        try:
            content = payload_bytes(kept)
        except StorageError as error:
            self.message_user(request, f"The file cannot be read: {error}", messages.ERROR)
            return self.back_to(row)
        audit(
            actor=actor_of(request),
            action="package_download",
            subject=f"packageimport:{row.pk}",
            detail={"file": "backup" if which == "backup" else "package"},
            address=address_of(request),
        )
        name = (
            f"backup-{row.pk}-{row.created_at:%Y%m%d-%H%M}.zip"
            if which == "backup"
            else f"package-{row.pk}.zip"
        )
        return _attached(content, name)

    def _unless_post(self, request: HttpRequest, action: str) -> HttpResponse | None:
        """What to answer where it may not go on."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not request.user.has_perm(MAY):
            refuse(request, action=action, subject="packageimport:list")
        return None

    def _to_list(self) -> HttpResponse:
        return HttpResponseRedirect(reverse(f"admin:{self.url_name('changelist')}"))

    def panel(self, request: HttpRequest, row: PackageImport | None) -> dict[str, Any]:
        """Item by item: what it would change now, or what arrived."""
        if row is None:
            return {}
        done, trouble, entries = row.state == PackageImport.State.IMPORTED, "", row.report
        if not done:
            try:
                entries = [entry.plain() for entry in package_preview(row)]
            except (Fault, StorageError) as error:
                trouble = str(error)
        groups = [(title, [one for one in entries if one["kind"] == kind]) for kind, title in GROUPS]
        left = [one for one in entries if one["notes"] or one["problems"]]
        return {
            "done": done,
            "trouble": trouble,
            "groups": [(title, found) for title, found in groups if found],
            "counted": _counted(entries),
            "left": left,
            "can_apply": not done and not trouble,
        }

    def post_apply(self, request: HttpRequest, row: PackageImport) -> None:
        """Import it, with a backup of what it touches."""
        entries = package_apply(
            row=row, actor=actor_of(request), person=request.user, address=address_of(request)
        )
        counted = _counted([entry.plain() for entry in entries])
        said = ", ".join(f"{number} {state}" for state, number in counted.items() if number)
        bad = counted["left out"]
        self.message_user(request, f"Imported: {said}.", messages.WARNING if bad else messages.SUCCESS)


def _counted(entries: list[dict[str, Any]]) -> dict[str, int]:
    words = {"added": "added", "changed": "changed", "unchanged": "unchanged", "refused": "left out"}
    return {word: sum(one["state"] == state for one in entries) for state, word in words.items()}


def _attached(content: bytes, name: str) -> HttpResponse:
    return HttpResponse(
        content, content_type=ZIP, headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )
