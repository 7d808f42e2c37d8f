"""`manage.py run_flow`: one flow by hand, in this process, its activity stream printed."""

import getpass
import sys
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from integrations.engine.faults import Fault
from integrations.engine.registry import spec_for
from integrations.engine.runner import work_on
from integrations.engine.spec import FILE
from integrations.models import Activity, Flow, Instance
from integrations.services.flow_run import flow_run
from integrations.services.instance_execute import instance_execute
from integrations.services.instance_submit import instance_submit
from integrations.storage import payload_put


class Command(BaseCommand):
    """Run one flow and print what it does."""

    help = "Run a flow by hand and print its activity stream; exit 0 when it succeeds, 1 otherwise."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Identifier, parameters, message and file."""
        parser.add_argument("identifier")
        parser.add_argument(
            "--param", action="append", default=[], metavar="NAME=VALUE", help="may be repeated"
        )
        parser.add_argument("--input", metavar="FILE", help="the message, JSON")
        parser.add_argument("--attach", metavar="FILE", help="the file that comes with it")

    def handle(self, *_: Any, **options: Any) -> None:
        """Make the instance, run it here, print its lines."""
        try:
            instance = self._make(options)
        except Fault as fault:
            raise CommandError(f"{fault.text}. {fault.hint}".strip()) from None
        self.stdout.write(f"Instance {instance.pk}")
        self._run(instance)
        self._print(instance)
        instance.refresh_from_db()
        self.stdout.write(f"{instance.get_status_display()}")
        if instance.status not in (Instance.Status.SUCCEEDED, Instance.Status.SKIPPED):
            sys.exit(1)

    def _make(self, options: dict[str, Any]) -> Instance:
        spec = spec_for(options["identifier"])
        parameters = dict(self._pair(text) for text in options["param"])
        if spec.pattern == FILE:
            flow = Flow.objects.get(identifier=spec.identifier)
            return flow_run(flow=flow, parameters=parameters, actor=getpass.getuser())
        attached = options["attach"]
        payload = None
        if attached:
            with Path(attached).open("rb") as content:
                payload = payload_put(content, content_type="application/octet-stream")
        return instance_submit(
            identifier=spec.identifier,
            resource=spec.trigger.resource,
            version="1.0",
            message=Path(options["input"]).read_bytes() if options["input"] else b"{}",
            attachment=payload,
            attachment_name=Path(attached).name if attached else "",
            cause=Instance.Cause.MANUAL,
            parameters=parameters,
        ).instance

    @staticmethod
    def _pair(text: str) -> tuple[str, str]:
        name, equals, value = text.partition("=")
        if not equals:
            raise CommandError(f"--param {text!r} is not NAME=VALUE")
        return name, value

    def _run(self, instance: Instance) -> None:
        """Here, unless a worker was quicker; a run that waits to try again is waited for."""
        if instance.status == Instance.Status.RUNNING:
            try:
                instance_execute(instance=instance)
            except Fault as fault:
                self.stderr.write(fault.text)
            return
        while not instance.ended:
            work_on(instance.pk)
            instance.refresh_from_db()
            if not instance.ended:
                left = (instance.due_at - timezone.now()).total_seconds()
                time.sleep(min(max(left, 0.2), 5))

    def _print(self, instance: Instance) -> None:
        rows = Activity.objects.filter(instance=instance).select_related("connection")
        for row in rows.order_by("id"):
            took = f"{row.duration_ms:8.0f} ms" if row.duration_ms is not None else " " * 11
            mark = {"error": "!", "warning": "?"}.get(row.level, " ")
            self.stdout.write(f"{row.at:%H:%M:%S} {took} {mark} {row.get_kind_display():11} {row.text}")
