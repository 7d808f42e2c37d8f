"""The run: a flow's only way to the world, one for each attempt."""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, NoReturn

from integrations.adapters.contract import FileStore
from integrations.engine import (
    children,
    handing_on,
    mapper,
    posting,
    segments,
    sync_requests,
    telling,
)
from integrations.engine import files as file_work
from integrations.engine import invoke as calling
from integrations.engine import notify as mailing
from integrations.engine import parts as sync_parts
from integrations.engine.connections import connection_named
from integrations.engine.faults import Fault
from integrations.engine.leases import Claim
from integrations.engine.network_locations import NetworkLocationTap
from integrations.engine.retry import retry_for
from integrations.engine.spec import FlowSpec
from integrations.engine.steps import effect_key_of
from integrations.engine.stream import Kind, Stream
from integrations.models import BusinessKey, Connection, FileTransfer, Instance
from lookups.properties import Properties
from lookups.resolve import lookup_value

LONGEST_KEY = 200


class Skip(Exception):
    """Raised by `run.skip`: the instance ends as skipped, with the reason."""

    def __init__(self, reason: str, answer: Any = None) -> None:
        """`answer`: what the caller gets, if one waits."""
        super().__init__(reason)
        self.answer = answer


class Run:
    """One attempt at an instance, as its flow sees it."""

    def __init__(
        self,
        instance: Instance,
        spec: FlowSpec,
        claim: Claim,
        *,
        perform: children.Perform,
        feed: file_work.Feed | None = None,
        parent: "Run | None" = None,
    ) -> None:
        """`perform` runs a child's body; `feed`: the file a parent passes (a stored attachment is opened when asked
        for); `parent`: the run whose stores and connections this one uses."""
        self.instance = instance
        self.spec = spec
        self.claim = claim
        self.stream = Stream(instance, claim.fence)
        self.perform = perform
        self.feed = feed
        lists = spec.lists_under(parent.spec if parent is not None else None)
        self.properties = Properties(lists.config)
        self.emails = Properties(lists.emails)
        self.lookup = spec.stands.asking(lookup_value)
        self.person_decided = False
        self.keys: list[BusinessKey] = []
        self._parent = parent
        self._outermost: Run = parent._outermost if parent is not None else self
        self._stores: dict[str, FileStore] = {}
        self._connections: dict[str, Connection] = {}
        self._allowed_retries = 0

    @property
    def parameters(self) -> dict[str, Any]:
        """What a scheduled run, or one by hand, was started with."""
        found: dict[str, Any] = self.instance.parameters
        return found

    # -- the world ---------------------------------------------------------------------------------------

    def invoke(
        self,
        connection: str,
        operation: str,
        body: Any = None,
        *,
        path_values: Mapping[str, str] | None = None,
        expect: tuple[int, ...] = (),
        duplicate: tuple[int, ...] = (),
        key: str = "",
        verify: Callable[[], calling.Answer | None] | None = None,
        check: Callable[[calling.Answer], None] | None = None,
    ) -> calling.Answer:
        """Call a target's operation with a JSON body, as a step that is not repeated once it is done.

        `expect`: the statuses that mean success (any 2xx if empty); `duplicate`: refusals which, when the call
        repeats one whose end is not known, say that the first went through; `key` tells apart several calls of
        one operation in a run; `verify` asks the target, where it can be asked, whether an earlier call whose end
        is not known arrived (None: it did not); `check` raises where a successful status comes with a no. Raises
        RemoteFault or BusinessFault.
        """
        own = self.spec.stands.connection(connection)
        call = calling.Call(own, operation, body, path_values or {}, expect, duplicate, check)
        return calling.invoke(self, call, key=key or f"{operation} at {connection}", verify=verify)

    def ask(self, connection: str, operation: str, *, expect: tuple[int, ...] = ()) -> calling.Answer:
        """Call an operation that changes nothing, anew in each attempt."""
        return self.invoke(
            connection, operation, expect=expect, key=f"{operation}, attempt {self.claim.fence}"
        )

    def map(self, name: str, source: Any) -> Any:
        """The flow's mapping of this name over `source`: base, then the site's extensions."""
        return mapper.map_message(self, name, source)

    def mapper(self, name: str) -> Callable[[Any], Any]:
        """The flow's mapping of this name for many records, without a line in the activity stream for each."""
        return mapper.record_mapper(self, name)

    def files(self, connection: str) -> FileStore:
        """The file store behind a connection, logged in once a run."""
        return file_work.store_of(self, connection)

    def call(self, identifier: str, message: Any, *, feed: file_work.Feed | None = None) -> Any:
        """Call another flow as a child instance in this process; its answer, or its fault."""
        return children.call_child(self, self.spec.stands.flow(identifier), message, feed=feed)

    def deliver(self, connection: str, *, directory: str, name: str) -> file_work.Delivery:
        """Where the passed file goes. A body returns this; the file is then written there once, alone or beside
        others, and the flow's answer is {"status": "SUCCESS", "size", "sha256"}."""
        return file_work.Delivery(self.spec.stands.connection(connection), directory, name)

    def hand_on(self, identifier: str, message: Any) -> None:
        """Queue this message for another flow, once; what that one meets is its own, and no fault of this run."""
        taker = self.spec.stands.flow(identifier)
        handing_on.hand_on(self, taker, message, key=f"handed on to {identifier}")

    def expect_taken(self, identifier: str) -> None:
        """Inactive where a message handed on to this flow would not be taken: before the effect it is to tell of."""
        handing_on.expect_taken(self, self.spec.stands.flow(identifier))

    def send_file(
        self,
        feed: file_work.Feed,
        connection: str,
        operation: str,
        *,
        path_values: Mapping[str, str],
        expect: tuple[int, ...] = (),
        check: Callable[[calling.Answer], None] | None = None,
    ) -> None:
        """Send a file's bytes as the body of an operation; `expect`: the statuses that mean it was taken; `check`
        raises where such a status comes with a no."""
        own = self.spec.stands.connection(connection)
        posting.post_file(self, feed, calling.Call(own, operation, None, path_values, expect, (), check))

    def send_segments(
        self,
        connection: str,
        operation: str,
        *,
        mapping: str,
        message: Any,
        columns: tuple[str, ...],
        records: int | None = None,
    ) -> segments.Sent:
        """Send the CSV file that came with the message in segments of 1000 records, several at once.

        Each is mapped from {message, records} and is a step of its own: an attempt goes on with those that are not
        done. `columns`: those the file must have; `records`: how many, where the message says so.
        """
        job = segments.SegmentJob(connection, operation, mapping, message, columns, records)
        return segments.send_segments(self, job)

    def acknowledged(self, work: Callable[[], Any], tell: Callable[[str, Any], object]) -> Any:
        """Do the work and have its sender told of the end: `tell(key of its step, what came of it or the Fault)`."""
        return telling.acknowledged(self, work, tell)

    def attached(self) -> file_work.Feed:
        """The file that came with the message, to be handed to a child; InvalidMessage where none came."""
        return file_work.feed_of(self)

    def notify(self, kind: str, *, recipients: str | tuple[str, ...], subject: str, lines: list[str]) -> None:
        """Queue one e-mail to the package's `recipients` property; once a round, however often it is asked."""
        mailing.notify(self, kind, recipients=recipients, subject=subject, lines=lines)

    # -- its own record ----------------------------------------------------------------------------------

    def note(self, text: str, *, warning: bool = False) -> None:
        """A line in the activity stream."""
        if warning:
            self.stream.warn(text)
        else:
            self.stream.say(Kind.NOTED, text)

    def key(self, name: str, value: Any) -> None:
        """A business key operators can find this instance by."""
        if value not in (None, ""):
            BusinessKey.objects.get_or_create(
                instance=self.instance, name=name, value=str(value)[:LONGEST_KEY]
            )

    def skip(self, reason: str, answer: Any = None) -> NoReturn:
        """End here: the flow's own rule says there is nothing to do."""
        raise Skip(reason, answer)

    def acknowledgement_received(self, sync_request_id: str, *, positive: bool, text: str = "") -> None:
        """Write an acknowledgement to its sync request; one for an unknown id is kept and said."""
        sync_requests.received(self, sync_request_id, positive=positive, text=text)

    def acknowledgement_delivered(self, sync_request_id: str) -> None:
        """The source system has the acknowledgement: the sync request is synchronised, or in error."""
        sync_requests.delivered(self, sync_request_id)

    def watch_sync_requests(self, transfer: FileTransfer, entity: str) -> sync_requests.SyncRequestTap:
        """A tap that notes the sync requests of an extract as its bytes pass."""
        return sync_requests.SyncRequestTap(self, transfer, entity)

    def sync_request_sent(self, sync_request_id: str, *, entity: str, external_id: str = "") -> None:
        """The target has this sync request: its acknowledgement is awaited from now on."""
        sync_requests.sent(self, sync_request_id, entity=entity, external_id=external_id)

    def sync_request_expected(
        self, sync_request_id: str, *, entity: str, external_id: str, parts: Sequence[str]
    ) -> None:
        """This sync request is about to be sent in parts, each of which the target acknowledges by itself."""
        sync_requests.expected(self, sync_request_id, entity=entity, external_id=external_id, parts=parts)

    def sync_request_all_sent(self, sync_request_id: str) -> None:
        """All its parts are at the target; written with the outcome."""
        sync_requests.all_sent(self, sync_request_id)

    def part_acknowledged(
        self, sync_request_id: str, part: str, *, positive: bool, text: str, external_key: str
    ) -> list[dict[str, Any]]:
        """Note a part's answer; [{name, positive, text, key}] of all where it was the last, else the run is skipped."""
        said = {"positive": positive, "text": text, "key": external_key}
        return sync_parts.part_acknowledged(self, sync_request_id, part, said)

    def watch_network_locations(self, transfer: FileTransfer) -> NetworkLocationTap:
        """A tap that notes where service points hang in the network as the file's bytes pass."""
        return NetworkLocationTap(self, transfer)

    def begin_child(self, instance: Instance, spec: FlowSpec, claim: Claim) -> "Run":
        """A child's run that is carried out by this one, beside others."""
        return Run(instance, spec, claim, perform=self.perform, parent=self)

    # -- the attempt -------------------------------------------------------------------------------------

    def allows_retries(self, times: int) -> None:
        """A connection was used that lets passing faults be tried again so many times."""
        self._allowed_retries = max(self._allowed_retries, times)
        if self._parent is not None:  # a child is not tried again by itself, its parent is
            self._parent.allows_retries(times)

    def gives_up(self, fault: Fault) -> bool:
        """Whether this fault ends the instance for now: nothing will try it again by itself."""
        return (
            retry_for(fault, made=self.instance.retries, allowed=self._allowed_retries, waits=self.spec.waits)
            is None
        )

    @cached_property
    def effect_key(self) -> str:
        """What an effect's Idempotency-Key begins with."""
        return effect_key_of(self.instance)

    @property
    def allowed_retries(self) -> int:
        """How often passing faults may be tried again."""
        return self._allowed_retries

    def connection(self, name: str) -> Connection:
        """The row of the connection that stands for this name, as the attempt found it: an edit counts from the next
        attempt on. Raises ConnectionUnusable."""
        known, own = self._outermost._connections, self.spec.stands.connection(name)
        if own not in known:
            known[own] = connection_named(own)
        return known[own]

    def keep_store(self, connection: str, open_store: Callable[[], FileStore]) -> FileStore:
        """The store open for this connection, or a new one kept until the attempt ends; a child uses its parent's."""
        stores, own = self._outermost._stores, self.spec.stands.connection(connection)
        if own not in stores:
            stores[own] = open_store()
        return stores[own]

    def close(self) -> None:
        """Let go of stores and write the last lines."""
        for store in self._stores.values():
            store.close()
        self._stores.clear()
        self.stream.flush()
