"""The file ledger: one file's way from source to target (reliability.md section 2 rule 9)."""

from django.db import models
from django.db.models import Q

from integrations.models.connection import Connection
from integrations.models.ids import time_ordered_id
from integrations.models.instance import Instance


class FileTransfer(models.Model):
    """new → copying → publishing → sent → done; what a crash left is settled from here, not guessed."""

    class State(models.TextChoices):
        """NEW: seen. COPYING: a partial copy may exist. PUBLISHING: whole, being given its final name.
        SENT: at the target. DONE: renamed at the source too."""

        NEW = "new", "New"
        COPYING = "copying", "Copying"
        PUBLISHING = "publishing", "Publishing"
        SENT = "sent", "Sent"
        DONE = "done", "Done"

    NAMES = ("source_name", "renamed_to", "target_name")  # what a person knows the file by; each has an index

    id = models.UUIDField(primary_key=True, default=time_ordered_id, editable=False)
    instance = models.ForeignKey(
        Instance, null=True, on_delete=models.SET_NULL, related_name="file_transfers"
    )
    source = models.ForeignKey(
        Connection,
        null=True,
        on_delete=models.SET_NULL,
        related_name="files_from",
        help_text="Empty: received by URL.",
    )
    source_directory = models.CharField(max_length=500, blank=True)
    source_name = models.CharField(max_length=500)
    source_size = models.BigIntegerField(null=True)
    source_modified = models.CharField(
        max_length=64, blank=True, help_text="Time or ETag, as the source gives it."
    )
    renamed_to = models.CharField(max_length=500, blank=True)
    target = models.ForeignKey(Connection, null=True, on_delete=models.SET_NULL, related_name="files_to")
    target_directory = models.CharField(max_length=500, blank=True)
    target_name = models.CharField(max_length=500, blank=True)
    state = models.CharField(max_length=12, choices=State.choices, default=State.NEW)
    size = models.BigIntegerField(null=True)
    sha256 = models.CharField(max_length=64, blank=True)
    records_done = models.PositiveBigIntegerField(
        default=0, help_text="Data records done, of a file that is processed record by record."
    )
    tries = models.PositiveIntegerField(default=0)
    trouble = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        """A source file, as it was seen, once."""

        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["source", "source_directory", "source_name", "source_size", "source_modified"],
                condition=Q(source__isnull=False),
                name="source_file_once",
            )
        ]
        indexes = [
            models.Index(fields=["source", "state"], name="file_transfer_unsettled"),
            models.Index(fields=["source_name"], name="file_transfer_name"),
            models.Index(fields=["renamed_to"], name="file_transfer_renamed"),
            models.Index(fields=["target_name"], name="file_transfer_arrived"),
            models.Index(fields=["-created_at", "-id"], name="file_transfer_newest"),
            models.Index(fields=["state", "-created_at"], name="file_transfer_by_state"),
        ]

    def __str__(self) -> str:
        return self.source_name

    @property
    def part_name(self) -> str:
        """The temporary name a copy has until it is whole; each try has its own, so that no late one writes into it."""
        return f".hub-{self.id}-{self.tries}.part"
