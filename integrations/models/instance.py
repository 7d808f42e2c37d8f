"""Instances, their attempts, steps and business keys: what is under way, and what was done."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from integrations.models.client import Client
from integrations.models.flow import Flow
from integrations.models.ids import time_ordered_id
from integrations.models.payload import Payload


class Instance(models.Model):
    """One execution of a flow, committed before anyone is answered (design.md section 4)."""

    class Status(models.TextChoices):
        """READY and WAITING are claimed when due; RUNNING holds a lease; the others are ends."""

        READY = "ready", "Ready"
        RUNNING = "running", "Running"
        WAITING = "waiting", "Waiting to try again"
        SUCCEEDED = "succeeded", "Succeeded"
        FAILED = "failed", "Failed"
        HELD = "held", "Held for a person"
        SKIPPED = "skipped", "Skipped"
        DISCARDED = "discarded", "Discarded"

    class Cause(models.TextChoices):
        """What started it."""

        INBOUND = "inbound", "Called"
        SCHEDULE = "schedule", "Schedule"
        MANUAL = "manual", "By hand"
        PARENT = "parent", "Another flow"
        REPLAY = "replay", "Replay of a synchronous instance"
        HANDED_ON = "handed_on", "Handed on by another flow"

    id = models.UUIDField(primary_key=True, default=time_ordered_id, editable=False)
    flow = models.ForeignKey(Flow, on_delete=models.PROTECT, related_name="instances")
    flow_version = models.CharField(max_length=20, blank=True)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.READY)
    cause = models.CharField(max_length=10, choices=Cause.choices)
    parent = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="children")
    replay_of = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="replays")
    handed_on_by = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="handed_on")
    client = models.ForeignKey(Client, null=True, on_delete=models.SET_NULL, related_name="instances")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    parameters = models.JSONField(default=dict)
    overlap_key = models.CharField(max_length=64, blank=True)
    # Not called "message": the attribute of its column would be message_id, which is the partner's own id below.
    message_payload = models.ForeignKey(Payload, null=True, on_delete=models.SET_NULL, related_name="+")
    attachment = models.ForeignKey(Payload, null=True, on_delete=models.SET_NULL, related_name="+")
    attachment_name = models.CharField(max_length=255, blank=True)
    answer = models.ForeignKey(Payload, null=True, on_delete=models.SET_NULL, related_name="+")
    message_id = models.CharField(max_length=200, null=True)  # noqa: DJ001  (unique only where there is one)
    content_digest = models.CharField(max_length=64, blank=True)
    primary_key_name = models.CharField(max_length=60, blank=True)
    primary_key_value = models.CharField(max_length=200, blank=True, db_index=True)
    due_at = models.DateTimeField(default=timezone.now)
    fence = models.PositiveIntegerField(default=0)
    holder = models.CharField(max_length=100, blank=True)
    lease_until = models.DateTimeField(null=True)
    woken_at = models.DateTimeField(null=True)
    wakes = models.PositiveIntegerField(default=0)
    round = models.PositiveIntegerField(default=1, help_text="1, and one more for each resubmission.")
    attempts_made = models.PositiveIntegerField(default=0)
    crashes = models.PositiveIntegerField(default=0)
    retries = models.PositiveIntegerField(default=0, help_text="Passing faults tried again in this round.")
    checkpoint = models.JSONField(default=dict)
    fault_class = models.CharField(max_length=10, blank=True)
    fault_code = models.CharField(max_length=40, blank=True)
    fault_text = models.TextField(blank=True)
    fault_step = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    purged_at = models.DateTimeField(null=True)

    class Meta:
        """Indexes serve the claim, the sweep and the console's lists, each by keyset."""

        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["client", "flow", "message_id"],
                condition=Q(message_id__isnull=False),
                name="message_id_once_a_client_and_flow",
            ),
            models.UniqueConstraint(
                fields=["flow", "overlap_key"],
                condition=~Q(overlap_key="") & Q(status__in=["ready", "running", "waiting"]),
                name="no_overlap_a_flow_and_parameters",
            ),
        ]
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="instance_newest"),
            models.Index(fields=["flow", "-created_at"], name="instance_by_flow"),
            models.Index(fields=["status", "-created_at"], name="instance_by_status"),
            models.Index(
                fields=["client", "-created_at"],
                name="instance_by_client",
                condition=Q(client__isnull=False),
            ),
            models.Index(
                fields=["due_at"], name="instance_due", condition=Q(status__in=["ready", "waiting"])
            ),
            # Few rows have one. With statistics of its own SQLite takes an index over all rows for useless: the NULLs.
            models.Index(fields=["parent"], name="instance_children", condition=Q(parent__isnull=False)),
            models.Index(fields=["replay_of"], name="instance_replays", condition=Q(replay_of__isnull=False)),
            models.Index(
                fields=["handed_on_by"], name="instance_handed_on", condition=Q(handed_on_by__isnull=False)
            ),
            models.Index(fields=["lease_until"], name="instance_leased", condition=Q(status="running")),
            models.Index(fields=["ended_at"], name="instance_ended", condition=Q(purged_at__isnull=True)),
        ]
        permissions = [
            ("resubmit_instance", "Can resubmit instances"),
            ("discard_instance", "Can discard instances"),
        ]

    def __str__(self) -> str:
        return str(self.id)

    @property
    def ended(self) -> bool:
        """Whether nothing more happens to it by itself."""
        return self.status in ENDED


ENDED = frozenset(
    {
        Instance.Status.SUCCEEDED,
        Instance.Status.FAILED,
        Instance.Status.HELD,
        Instance.Status.SKIPPED,
        Instance.Status.DISCARDED,
    }
)


class Attempt(models.Model):
    """One claim of an instance: who, when, why, how it ended. The fence tells late writers from the holder."""

    class Outcome(models.TextChoices):
        """How an attempt ended, as far as is known."""

        RUNNING = "running", "Running"
        SUCCEEDED = "succeeded", "Succeeded"
        FAILED = "failed", "Failed"
        RETRY = "retry", "To be tried again"
        CRASHED = "crashed", "Worker died"
        FENCED = "fenced", "Came late, not applied"
        RELEASED = "released", "Given back at shutdown"

    instance = models.ForeignKey(Instance, on_delete=models.CASCADE, related_name="attempts")
    number = models.PositiveIntegerField()
    round = models.PositiveIntegerField(default=1)
    holder = models.CharField(max_length=100)
    outcome = models.CharField(max_length=10, choices=Outcome.choices, default=Outcome.RUNNING)
    detail = models.TextField(blank=True)
    started_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        """The fence is the attempt's number."""

        ordering = ["instance", "number"]
        constraints = [models.UniqueConstraint(fields=["instance", "number"], name="attempt_number_once")]

    def __str__(self) -> str:
        return f"attempt {self.number} of {self.instance_id}"


class Resubmission(models.Model):
    """That a person (or a client's repeated message) sent an instance again, from where and why."""

    instance = models.ForeignKey(Instance, on_delete=models.CASCADE, related_name="resubmissions")
    round = models.PositiveIntegerField()
    from_start = models.BooleanField(default=False)
    message_before = models.ForeignKey(Payload, null=True, on_delete=models.SET_NULL, related_name="+")
    message_after = models.ForeignKey(Payload, null=True, on_delete=models.SET_NULL, related_name="+")
    reason = models.TextField(blank=True)
    actor = models.CharField(max_length=150)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        """One a round."""

        ordering = ["instance", "round"]
        constraints = [
            models.UniqueConstraint(fields=["instance", "round"], name="resubmission_once_a_round")
        ]

    def __str__(self) -> str:
        return f"round {self.round} of {self.instance_id}"


class Step(models.Model):
    """Intent before effect: recorded, done, recorded as done. INTENT found after a crash is UNKNOWN."""

    class State(models.TextChoices):
        """Where a step stands."""

        INTENT = "intent", "Under way"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"
        UNKNOWN = "unknown", "Unknown: the worker died between effect and record"

    instance = models.ForeignKey(Instance, on_delete=models.CASCADE, related_name="steps")
    key = models.CharField(max_length=200)
    state = models.CharField(max_length=10, choices=State.choices, default=State.INTENT)
    attempt = models.PositiveIntegerField()
    repeats = models.PositiveIntegerField(default=0, help_text="Times it was sent again after UNKNOWN.")
    result = models.JSONField(null=True)
    started_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        """A key once an instance."""

        ordering = ["instance", "id"]
        constraints = [models.UniqueConstraint(fields=["instance", "key"], name="step_key_once")]

    def __str__(self) -> str:
        return f"{self.key} ({self.state})"


class BusinessKey(models.Model):
    """A name and value an operator knows an instance by (account, service point, file name …)."""

    instance = models.ForeignKey(Instance, on_delete=models.CASCADE, related_name="keys")
    name = models.CharField(max_length=60)
    value = models.CharField(max_length=200)

    class Meta:
        """Found by value, with or without its name; the newest instances of a value that many have come first."""

        ordering = ["instance", "name"]
        constraints = [
            models.UniqueConstraint(fields=["instance", "name", "value"], name="business_key_once")
        ]
        indexes = [models.Index(fields=["value", "-instance"], name="business_key_newest")]

    def __str__(self) -> str:
        return f"{self.name}={self.value}"
