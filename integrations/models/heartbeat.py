"""Who is at work: leases that one process of many holds, and the last sign of life of each."""

from django.db import models


class Lease(models.Model):
    """A task of which one process at a time is in charge (the tick, the sweep, the outbox)."""

    name = models.CharField(max_length=50, primary_key=True)
    holder = models.CharField(max_length=100, blank=True)
    until = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.name


class Heartbeat(models.Model):
    """The last sign of life of a process, for the console's health page and the watchdog."""

    name = models.CharField(max_length=120, primary_key=True)
    role = models.CharField(max_length=20, db_index=True)
    host = models.CharField(max_length=100)
    pid = models.PositiveIntegerField()
    started_at = models.DateTimeField()
    at = models.DateTimeField()
    detail = models.JSONField(default=dict)

    def __str__(self) -> str:
        return self.name
