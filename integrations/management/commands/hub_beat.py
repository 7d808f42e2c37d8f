"""`manage.py hub_beat`: the one supervised process of a worker host."""

import signal
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from integrations.engine.cluster import Cluster
from integrations.services.beat import Beat


class Command(BaseCommand):
    """Tick schedules, sweep, send mails, watch the cluster."""

    help = "Run the beat: schedules, sweep, outbox, housekeeping; with --cluster also this host's workers."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """`--cluster` makes it the only process a worker host needs."""
        parser.add_argument("--cluster", action="store_true", help="start and watch this host's workers")

    def handle(self, *_: Any, **options: Any) -> None:
        """Until SIGTERM or SIGINT."""
        beat = Beat(cluster=Cluster() if options["cluster"] else None)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: beat.stop())
        self.stdout.write(f"Beat {beat.name} runs")
        beat.run()
