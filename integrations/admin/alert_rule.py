"""Alert rules: what to look for, whom to tell, when; with a test that is really sent, and what it would say now."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString

from hub.theme import display
from integrations.admin.alert_rule_form import AlertRuleForm
from integrations.admin.base import ConsoleAdmin, PostAction, actor_of, address_of, subject_of
from integrations.models import Alert, AlertRule, Flow, WebhookDelivery
from integrations.present import badge, link, short
from integrations.services.alert_rule_save import (
    alert_rule_preview,
    alert_rule_rotate_secret,
    alert_rule_save,
)
from integrations.services.alert_rule_test import alert_rule_test
from integrations.services.alert_text import alerts_of
from integrations.services.alerts_send import recipients_of
from integrations.services.audit import audit

WHAT = ("Look for", {"fields": ("name", "event", "flows", "threshold", "minutes")})
WHEN = (
    "When",
    {"fields": ("digest_minutes", "repeat_hours", "quiet_from", "quiet_until", "time_zone", "enabled")},
)
SHOWN_OPEN, SHOWN_DELIVERIES = 10, 5


@admin.register(AlertRule)
class AlertRuleAdmin(ConsoleAdmin[AlertRule]):
    """A rule a line; its page says what it would tell now."""

    form = AlertRuleForm
    post_actions = (
        PostAction("test", "integrations.change_alertrule"),
        PostAction("rotate_secret", "integrations.change_alertrule"),
    )
    panel_template = "admin/integrations/alert/rule_panel.html"
    list_display = ("name", "event", "state", "told", "open_alerts", "last_sent_at")
    list_filter = ("event", "enabled")
    search_fields = ("name", "recipients")
    actions = None

    class Media:
        """The script that says what the number means for the event chosen, and the box of flows."""

        js = ("integrations/alert_rule.js",)
        css = {"all": ["integrations/alerts.css"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet[AlertRule]:
        """With how many alerts are open."""
        still = Count("alerts", filter=Q(alerts__ended_at__isnull=True))
        return super().get_queryset(request).annotate(still_open=still)

    def get_fieldsets(self, request: HttpRequest, obj: AlertRule | None = None) -> Any:
        """A webhook's address is as good as a password: who may only look does not see it."""
        may = self.has_change_permission(request, obj) if obj else True
        tell = ("recipients", "webhook_url") if may else ("recipients",)
        return [WHAT, ("Tell", {"fields": tell}), WHEN]

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Only flows the code has; as boxes, which work on a phone and without scripts."""
        if db_field.name == "flows":
            kwargs["queryset"] = Flow.objects.filter(present=True)
            kwargs["widget"] = forms.CheckboxSelectMultiple(attrs={"class": "bb-flows"})
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    @display(description="State", ordering="enabled")
    def state(self, row: AlertRule) -> SafeString:
        """On, off, or in trouble since it was last followed."""
        if row.trouble and row.enabled:
            return badge("failed", "trouble")
        return badge("active", "on") if row.enabled else badge("off")

    @display(description="Tells")
    def told(self, row: AlertRule) -> str:
        """Whom."""
        webhook = ["webhook"] if row.webhook_url else []
        return short(", ".join([*recipients_of(row), *webhook]) or "nobody", 60)

    @display(description="Open alerts", ordering="still_open")
    def open_alerts(self, row: Any) -> SafeString | str:
        """How many, as a link to them."""
        return link(alerts_of(row), str(row.still_open)) if row.still_open else ""

    def panel(self, request: HttpRequest, row: AlertRule | None) -> dict[str, Any]:
        """How it stands, and what it would say now."""
        if row is None:
            return {}
        shown: dict[str, Any] = {
            "open_alerts": row.alerts.filter(ended_at__isnull=True).order_by("-first_at")[:SHOWN_OPEN],
            "deliveries": row.deliveries.order_by("-created_at")[:SHOWN_DELIVERIES],
            "alerts_link": alerts_of(row),
        }
        try:
            shown["preview_subject"], shown["preview"] = alert_rule_preview(row)
        except Exception as error:  # noqa: BLE001  (a rule that cannot be followed is why one comes here)
            shown["preview_trouble"] = str(error) or type(error).__name__
        return shown

    def save_model(self, request: HttpRequest, obj: AlertRule, form: Any, change: bool) -> None:
        """By the service, which checks, makes the webhook's secret and audits."""
        request.made_secret = alert_rule_save(  # type: ignore[attr-defined]  # read by the answer, in the same request
            rule=obj, flows=form.cleaned_data["flows"], actor=actor_of(request), address=address_of(request)
        )

    def response_add(
        self, request: HttpRequest, obj: AlertRule, post_url_continue: str | None = None
    ) -> HttpResponse:
        """The secret, once, where one was made."""
        return self._secret_made(request, obj) or super().response_add(request, obj, post_url_continue)

    def response_change(self, request: HttpRequest, obj: AlertRule) -> HttpResponse:
        """The same."""
        return self._secret_made(request, obj) or super().response_change(request, obj)

    def _secret_made(self, request: HttpRequest, row: AlertRule) -> HttpResponse | None:
        secret = getattr(request, "made_secret", "")
        return self._shown_once(request, row, secret) if secret else None

    def _shown_once(self, request: HttpRequest, row: AlertRule, secret: str) -> HttpResponse:
        """In this answer, not in a message, which would be stored."""
        return TemplateResponse(
            request,
            "admin/integrations/page.html",
            {
                **self.admin_site.each_context(request),
                "title": f"Webhook secret of {row.name}",
                "original": row,
                "opts": self.opts,
                "media": self.media,
                "secret": secret,
                "panel_template": "admin/integrations/alert/secret.html",
            },
            headers={"Cache-Control": "no-store"},
        )

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """A rule takes its alerts and webhooks with it, which nobody deletes one by one; told by their number."""
        rows = list(objs)
        counts = {
            "alerts": Alert.objects.filter(rule__in=rows).count(),
            "webhook deliveries": WebhookDelivery.objects.filter(rule__in=rows).count(),
        }
        return [str(row) for row in rows], {"alert rules": len(rows), **counts}, set(), []

    def delete_model(self, request: HttpRequest, obj: AlertRule) -> None:
        """Deleted with its alerts, and the trail says which."""
        audit(
            actor=actor_of(request),
            action="alert_rule_delete",
            subject=subject_of(obj),
            detail={"name": obj.name, "event": obj.event},
            address=address_of(request),
        )
        super().delete_model(request, obj)

    def post_test(self, request: HttpRequest, row: AlertRule) -> None:
        """Really sent, and what became of it is said."""
        for told in alert_rule_test(rule=row, actor=actor_of(request), address=address_of(request)):
            if told.ok:
                self.message_user(request, f"{told.to}: sent.", messages.SUCCESS)
            else:
                self.message_user(request, f"{told.to} did not go out. {told.trouble}", messages.ERROR)

    def post_rotate_secret(self, request: HttpRequest, row: AlertRule) -> HttpResponse:
        """A new secret; the old one signs beside it for a day."""
        secret = alert_rule_rotate_secret(rule=row, actor=actor_of(request), address=address_of(request))
        return self._shown_once(request, row, secret)
