"""Rows for tests, by factory-boy: a factory a model, each row enough by itself."""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import Group, User
from django.utils import timezone

from hub import roles
from integrations import models
from integrations.storage import payload_put

if TYPE_CHECKING:
    # Its own types say what a factory is, not that calling one gives a row.
    factory: Any
    DjangoModelFactory: Any
else:
    import factory
    from factory.django import DjangoModelFactory

PASSWORD = "a password for tests"


class RowFactory(DjangoModelFactory):  # type: ignore[misc]  # typed as Any above
    """What all of them share: calling one stores a row."""

    class Meta:
        abstract = True


class UserFactory(RowFactory):
    """A person who may enter the console; `role` is one of hub.roles."""

    class Meta:
        model = User
        skip_postgeneration_save = True

    username = factory.Sequence(lambda n: f"person{n}")
    password = factory.django.Password(PASSWORD)
    is_staff = True

    @factory.post_generation
    def role(self, create, extracted, **kwargs):
        if extracted:
            roles.roles_grant()
            self.groups.add(Group.objects.get(name=extracted))


class FlowFactory(RowFactory):
    class Meta:
        model = models.Flow
        django_get_or_create = ("identifier",)

    identifier = factory.Sequence(lambda n: f"TEST-FLOW-{n}")
    name = factory.LazyAttribute(lambda o: f"Test {o.identifier}")
    package = "test.package"
    pattern = models.Flow.Pattern.ASYNCHRONOUS
    active = True


class AgentGroupFactory(RowFactory):
    class Meta:
        model = models.AgentGroup

    identifier = factory.Sequence(lambda n: f"AGENTS_{n}")


class ConnectionFactory(RowFactory):
    """In-memory unless told otherwise."""

    class Meta:
        model = models.Connection

    name = factory.Sequence(lambda n: f"Connection {n}")
    adapter = "memory"
    package = "test.package"
    settings = factory.LazyFunction(dict)
    secrets = factory.LazyFunction(dict)


class BreakerFactory(RowFactory):
    class Meta:
        model = models.Breaker

    connection = factory.SubFactory(ConnectionFactory)
    failures = 5
    open_until = factory.LazyFunction(lambda: timezone.now() + timedelta(minutes=5))
    last_fault = "The other system refuses connections"


class TrustCertificateFactory(RowFactory):
    """A row as the service would make it; its PEM is not a real one."""

    class Meta:
        model = models.TrustCertificate

    alias = factory.Sequence(lambda n: f"certificate-{n}")
    pem = "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"
    subject = "CN=sftp.example.com"
    issuer = "CN=Example authority"
    fingerprint = ":".join(["AB"] * 32)
    not_before = datetime(2024, 1, 1, tzinfo=UTC)
    not_after = factory.LazyFunction(lambda: timezone.now() + timedelta(days=400))


class ClientFactory(RowFactory):
    class Meta:
        model = models.Client

    client_id = factory.Sequence(lambda n: f"client-{n}")


class InstanceFactory(RowFactory):
    """Succeeded after two seconds, unless told otherwise. `content`: bytes of its message."""

    class Meta:
        model = models.Instance
        skip_postgeneration_save = True

    flow = factory.SubFactory(FlowFactory)
    status = models.Instance.Status.SUCCEEDED
    cause = models.Instance.Cause.INBOUND
    primary_key_name = "accountId"
    primary_key_value = factory.Sequence(lambda n: f"88{n:08}")
    created_at = factory.LazyFunction(timezone.now)
    started_at = factory.SelfAttribute("created_at")
    ended_at = factory.LazyAttribute(lambda o: o.started_at + timedelta(seconds=2) if o.started_at else None)

    @factory.post_generation
    def content(self, create, extracted, **kwargs):
        if extracted is not None:
            self.message_payload = payload_put(extracted, content_type="application/json")
            self.save()


class BusinessKeyFactory(RowFactory):
    class Meta:
        model = models.BusinessKey

    instance = factory.SubFactory(InstanceFactory)
    name = "accountId"
    value = factory.Sequence(lambda n: f"77{n:08}")


class ActivityFactory(RowFactory):
    class Meta:
        model = models.Activity

    instance = factory.SubFactory(InstanceFactory)
    kind = models.Activity.Kind.NOTED
    text = "Something happened"


class StepFactory(RowFactory):
    class Meta:
        model = models.Step

    instance = factory.SubFactory(InstanceFactory)
    key = factory.Sequence(lambda n: f"step {n}")
    attempt = 1


class AttemptFactory(RowFactory):
    class Meta:
        model = models.Attempt

    instance = factory.SubFactory(InstanceFactory)
    number = factory.Sequence(lambda n: n + 1)
    holder = "host:1:1"


class ErrorFamilyFactory(RowFactory):
    class Meta:
        model = models.ErrorFamily

    flow = factory.SubFactory(FlowFactory)
    fault_class = models.error.FaultClass.REMOTE
    fault_code = "HUB-TARGET-DOWN"
    message = "The target did not answer"
    signature = factory.Sequence(lambda n: hashlib.sha256(str(n).encode()).hexdigest())
    first_seen = factory.LazyFunction(timezone.now)
    last_seen = factory.LazyFunction(timezone.now)
    count = 1


class ErrorInstanceFactory(RowFactory):
    """Open, of an instance that failed."""

    class Meta:
        model = models.ErrorInstance

    instance = factory.SubFactory(
        InstanceFactory,
        status=models.Instance.Status.FAILED,
        fault_class="remote",
        fault_code="HUB-TARGET-DOWN",
        fault_text="The target did not answer",
    )
    family = factory.SubFactory(ErrorFamilyFactory, flow=factory.SelfAttribute("..instance.flow"))
    fault_class = models.error.FaultClass.REMOTE
    fault_code = "HUB-TARGET-DOWN"
    text = "The target did not answer"
    first_failed_at = factory.LazyFunction(timezone.now)
    last_failed_at = factory.LazyFunction(timezone.now)


class BulkResubmissionFactory(RowFactory):
    """Running, of no instances, due in an hour."""

    class Meta:
        model = models.BulkResubmission

    title = "Errors with state: Open"
    actor = "somebody"
    next_at = factory.LazyFunction(lambda: timezone.now() + timedelta(hours=1))


class MissingValueFactory(RowFactory):
    """Of a lookup that is not there."""

    class Meta:
        model = models.MissingValue

    lookup = "AssetType"
    column = "DERMS"
    value = factory.Sequence(lambda n: f"TYPE{n}")
    target = "DACS"
    signature = factory.LazyAttribute(lambda o: hashlib.sha256(o.value.encode()).hexdigest())
    count = 1
    first_seen = factory.LazyFunction(timezone.now)
    last_seen = factory.LazyFunction(timezone.now)


class FileTransferFactory(RowFactory):
    class Meta:
        model = models.FileTransfer

    instance = factory.SubFactory(InstanceFactory)
    source_name = factory.Sequence(lambda n: f"C1-DCTEX_{n}.csv")
    source_size = 2048
    state = models.FileTransfer.State.DONE


class NetworkLocationFactory(RowFactory):
    """Where a service point hangs."""

    class Meta:
        model = models.NetworkLocation

    service_point_id = factory.Sequence(lambda number: f"81{number:08}")
    division = "CA"
    transformer_id = "TX-100"
    feeder_id = "FD-10"
    substation_id = "SUB-1"


class SyncRequestFactory(RowFactory):
    class Meta:
        model = models.SyncRequest

    package = "test.package"
    sync_request_id = factory.Sequence(lambda n: f"sync-{n}")
    entity = "Contact"
    external_id = factory.Sequence(lambda n: f"external-{n}")
    status = models.SyncRequest.Status.AWAITING


class NotificationFactory(RowFactory):
    class Meta:
        model = models.Notification

    kind = models.Notification.Kind.ERROR
    dedupe = factory.Sequence(lambda n: f"dedupe-{n}")
    message_id = factory.Sequence(lambda n: f"<{n}@hub.example.com>")
    sender = "hub@example.com"
    recipients = factory.LazyFunction(lambda: ["operators@example.com"])
    subject = "A flow has failed"
    body = "It did not work."


class ScheduleFactory(RowFactory):
    class Meta:
        model = models.Schedule

    flow = factory.SubFactory(FlowFactory, pattern=models.Flow.Pattern.FILE)
    name = factory.Sequence(lambda n: f"schedule {n}")
    cron = "0 2 * * *"


class ExpectedFileFactory(RowFactory):
    """By six each morning."""

    class Meta:
        model = models.ExpectedFile

    flow = factory.SubFactory(FlowFactory, pattern=models.Flow.Pattern.FILE)
    name = factory.Sequence(lambda n: f"file {n}")
    cron = "0 6 * * *"


class MappingFactory(RowFactory):
    class Meta:
        model = models.Mapping

    flow = factory.SubFactory(FlowFactory)
    name = factory.Sequence(lambda n: f"mapping{n}")
    expression = '{"id": accountId}'
    digest = "0" * 64


class MappingExtensionFactory(RowFactory):
    class Meta:
        model = models.MappingExtension

    mapping = factory.SubFactory(MappingFactory)
    expression = '{"region": "north"}'
    reason = "The site sends its region"


class AuditEntryFactory(RowFactory):
    class Meta:
        model = models.AuditEntry

    actor = "somebody"
    action = "resubmit"
    subject = "instance:1"


class HeartbeatFactory(RowFactory):
    class Meta:
        model = models.Heartbeat

    name = factory.Sequence(lambda n: f"worker-{n}")
    role = "worker"
    host = "host"
    pid = 4711
    started_at = factory.LazyFunction(timezone.now)
    at = factory.LazyFunction(timezone.now)


class MaskedFieldFactory(RowFactory):
    class Meta:
        model = models.MaskedField

    name = factory.Sequence(lambda n: f"field{n}")


class AlertRuleFactory(RowFactory):
    """Tells of new errors by mail."""

    class Meta:
        model = models.AlertRule

    name = factory.Sequence(lambda n: f"rule {n}")
    event = models.AlertRule.Event.FAMILY
    recipients = "operators@example.com"


class AlertFactory(RowFactory):
    """Open."""

    class Meta:
        model = models.Alert

    rule = factory.SubFactory(AlertRuleFactory)
    subject = factory.Sequence(lambda n: f"flow:{n}")
    title = "DACS does not answer"


class WebhookDeliveryFactory(RowFactory):
    class Meta:
        model = models.WebhookDelivery

    rule = factory.SubFactory(AlertRuleFactory)
    message_id = factory.Sequence(lambda n: f"msg_{n}")
    body = factory.LazyFunction(lambda: {"text": "Hello"})


class PackageImportFactory(RowFactory):
    """Imported, and its file is not kept any more."""

    class Meta:
        model = models.PackageImport

    name = "package.zip"
    state = models.PackageImport.State.IMPORTED
    actor = "somebody"
