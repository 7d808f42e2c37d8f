"""`manage.py flows`: every flow the installed code has."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from integrations.engine.registry import specs
from integrations.engine.spec import FlowSpec
from integrations.models import Flow


class Command(BaseCommand):
    """List the flows, as a table or as JSON."""

    help = "List every flow: identifier, name, package, pattern, trigger, connections, lookups, source."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """`--json` for programs."""
        parser.add_argument("--json", action="store_true", help="as a JSON list")

    def handle(self, *_: Any, **options: Any) -> None:
        """Print what the registry found, and whether each is switched on."""
        active = dict(Flow.objects.values_list("identifier", "active"))
        rows = [described(spec, active=active.get(spec.identifier, False)) for spec in specs()]
        if options["json"]:
            self.stdout.write(json.dumps(rows, indent=2))
            return
        for row in rows:
            state = "on " if row["active"] else "off"
            self.stdout.write(f"{state} {row['pattern']:6} {row['identifier']:40} {row['name']}")


def described(spec: FlowSpec, *, active: bool) -> dict[str, Any]:
    """One flow as plain values."""
    return {
        "identifier": spec.identifier,
        "aliases": list(spec.aliases),
        "name": spec.name,
        "package": spec.package.name,
        "project": spec.package.project,
        "version": spec.version,
        "pattern": str(spec.pattern),
        "trigger": {
            "kind": spec.trigger.kind,
            "resource": spec.trigger.resource,
            "also": list(spec.trigger.also),
            "source": spec.trigger.source,
            "parameters": [parameter.name for parameter in spec.parameters],
        },
        "connections": list(spec.connections),
        "calls": list(spec.calls),
        "lookups": list(spec.lookups),
        "mappings": list(spec.mapping_names),
        "source": spec.source,
        "active": active,
    }
