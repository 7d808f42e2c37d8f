"""The versions of a mapping extension: who changed what and why, what that did, and the way back."""

import difflib
import json
from typing import Any

from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import URLPattern, path, reverse

from integrations.admin.base import actor_of, address_of
from integrations.admin.mapping_extension import may_see_sample
from integrations.admin.studio import StudioPages
from integrations.admin.studio_bench import bench_of, may_edit, offered
from integrations.admin.studio_form import SAMPLE, StudioForm
from integrations.engine.faults import Fault, InvalidMessage
from integrations.mapping.changes import changes
from integrations.models import Mapping, MappingExtension
from integrations.present import short
from integrations.services.extension_revert import extension_revert
from integrations.services.extension_save import ExtensionProblems, said
from integrations.services.extension_switch import extension_activate, extension_deactivate
from integrations.services.studio_try import Draft, Tried, studio_try

TEMPLATE = "admin/integrations/mapping/versions.html"
LISTED = 50  # versions on the page
EFFECTS = 100  # differences that are listed
_PLAIN = (("pointer", "Pointer"), ("position", "Position"), ("active", "Active"))


class VersionPages(StudioPages):
    """An extension's versions below its mapping's studio."""

    def get_urls(self) -> list[URLPattern]:
        """The page, and its two buttons."""
        wrap = self.admin_site.admin_view
        base = "<path:object_id>/studio/<int:extension>/"
        return [
            path(f"{base}versions/", wrap(self.versions_view), name=self.url_name("studio_versions")),
            path(
                f"{base}revert/",
                wrap(self.editing("revert", self.post_revert)),
                name=self.url_name("studio_revert"),
            ),
            path(
                f"{base}switch/",
                wrap(self.editing("switch", self.post_switch)),
                name=self.url_name("studio_switch"),
            ),
            *super().get_urls(),
        ]

    def versions_view(self, request: HttpRequest, object_id: str, extension: int) -> HttpResponseBase:
        """All versions, two of them compared: `from` and `to`, the last two where none are named."""
        mapping = self.get_object(request, unquote(object_id))
        row = _extension(mapping, extension)
        if mapping is None or row is None:
            return self.gone(request, object_id)
        if not self.has_view_permission(request, mapping):
            raise PermissionDenied
        rows = row.history.select_related("history_user").defer("base_expression")
        versions = list(rows.order_by("-history_id")[:LISTED])
        count = rows.count()
        for at, one in enumerate(versions):
            one.number = count - at
        chosen = _chosen(request, versions)
        form = StudioForm.of_row(mapping, row)
        form.sample = form.sample if may_see_sample(request) else ""
        sources = offered(request, mapping)
        form.source = request.GET.get("source", "") or _source(form, [one.key for one in sources])
        context = {
            "title": f"Versions: {row}",
            "extension": row,
            "versions": versions,
            "sources": sources,
            "form": form,
            "may_edit": may_edit(request),
            **(_compared(request, form, *chosen) if chosen else {}),
        }
        return self.page(request, mapping, context, TEMPLATE)

    def post_revert(self, request: HttpRequest, mapping: Mapping) -> HttpResponse:
        """An earlier version's content as a new version."""
        row = self._named(request, mapping)
        if row is not None:
            self._told(
                request, lambda: _revert(request, row), "Reverted: a new version holds what that one did."
            )
        return self._back(mapping, row)

    def post_switch(self, request: HttpRequest, mapping: Mapping) -> HttpResponse:
        """Off, or on again."""
        row = self._named(request, mapping)
        if row is not None:
            act, done = (
                (extension_deactivate, "Deactivated: from the next message on it is not applied.")
                if row.active
                else (extension_activate, "Activated: it counts from the next message on.")
            )
            given = {"reason": request.POST.get("reason", ""), "actor": actor_of(request)}
            self._told(request, lambda: act(extension=row, address=address_of(request), **given), done)
        return self._back(mapping, row)

    def _named(self, request: HttpRequest, mapping: Mapping) -> MappingExtension | None:
        """The extension in the address."""
        assert request.resolver_match is not None  # noqa: S101  (a resolved view)
        return _extension(mapping, int(request.resolver_match.kwargs["extension"]))

    def _told(self, request: HttpRequest, act: Any, done: str) -> None:
        """Do it and say so, or say why not."""
        try:
            act()
        except ExtensionProblems as error:
            self.message_user(request, f"It does not work as the base is now: {error}", messages.ERROR)
        except Fault as fault:
            self.say_fault(request, fault)
        else:
            self.message_user(request, done, messages.SUCCESS)

    def _back(self, mapping: Mapping, row: MappingExtension | None) -> HttpResponse:
        if row is None:
            return self.back_to(mapping)
        page = reverse(f"admin:{self.url_name('studio_versions')}", args=[mapping.pk, row.pk])
        return HttpResponseRedirect(page)


def _extension(mapping: Mapping | None, number: int) -> MappingExtension | None:
    return mapping.extensions.filter(pk=number).first() if mapping is not None else None


def _revert(request: HttpRequest, row: MappingExtension) -> None:
    wanted = request.POST.get("version", "")
    if not (wanted.isascii() and wanted.isdigit() and len(wanted) < 19):  # noqa: PLR2004  (a 64-bit number)
        raise InvalidMessage("Choose a version to go back to")
    extension_revert(
        extension=row,
        version=int(wanted),
        reason=request.POST.get("reason", ""),
        actor=actor_of(request),
        address=address_of(request),
    )


def _chosen(request: HttpRequest, versions: list[Any]) -> tuple[Any, Any] | None:
    """The versions to compare, older first; None where there are not two."""
    if len(versions) < 2:  # noqa: PLR2004
        return None
    known = {str(one.history_id): one for one in versions}
    new = known.get(request.GET.get("to", ""), versions[0])
    old = known.get(request.GET.get("from", ""), versions[min(versions.index(new) + 1, len(versions) - 1)])
    return (old, new) if old.history_id <= new.history_id else (new, old)


def _source(form: StudioForm, recorded: list[str]) -> str:
    return SAMPLE if form.sample.strip() or not recorded else recorded[0]


def _compared(request: HttpRequest, form: StudioForm, old: Any, new: Any) -> dict[str, Any]:
    """Two versions: their fields, the lines of their expressions, and what they make of the source."""
    bench = bench_of(request, form)
    fields = [
        (label, getattr(old, name), getattr(new, name))
        for name, label in _PLAIN
        if getattr(old, name) != getattr(new, name)
    ]
    lines = [
        {"kind": {"+": "add", "-": "drop"}.get(line[0], "same"), "text": line}
        for line in difflib.ndiff(old.expression.splitlines(), new.expression.splitlines())
        if not line.startswith("?")
    ]
    shared = {"old": old, "new": new, "fields": fields, "lines": lines, "bench": bench}
    if not bench.there:
        return shared
    made = [studio_try(draft=_draft(form.mapping, one), source=bench.document) for one in (old, new)]
    effect = None
    if not any(one.trouble for one in made):
        effect = _effect(_target(made[0], old), _target(made[1], new))
    return shared | {"effect": effect, "troubles": [_trouble(one) for one in made]}


def _draft(mapping: Mapping, version: Any) -> Draft:
    return Draft(mapping, version.id, version.pointer, version.expression, version.position, version.active)


def _target(tried: Tried, version: Any) -> Any:
    """What goes to the target system: a version that is off sets nothing."""
    return tried.after if version.active else tried.before


def _trouble(tried: Tried) -> str:
    return said(tried.trouble) if tried.trouble is not None else ""


def _effect(old: Any, new: Any) -> list[tuple[str, str, str, str]]:
    """What the newer version makes otherwise: path, kind, old and new value."""
    found = changes(old, new, EFFECTS)
    return [(one.pointer, one.kind, _text(one.old), _text(one.new)) for one in found]


def _text(value: Any) -> str:
    return short(json.dumps(value, ensure_ascii=False), 200)
