"""A CSV file to a target in segments of 1000 records, several under way at once (seed 002, Event Device Reservation).

Each segment is a step: its intent is on record before it is sent, its end after. An attempt goes on with the segments
that the target has not acknowledged; one whose end is not known is sent again under the same Idempotency-Key.

Threads map and send; this thread reads, records, and answers the mappings' lookups: it alone has the database. A group
is mapped while the one before it is sent: what is only mapped has no effect, so it needs no record.
"""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import islice
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from integrations.adapters.contract import Endpoint, Request
from integrations.adapters.errors import Refused
from integrations.engine import leases
from integrations.engine.breakers import breaker_check, breaker_failed, breaker_worked
from integrations.engine.connections import call_target, connection_endpoint
from integrations.engine.crash import crash
from integrations.engine.csv_records import CsvRecords
from integrations.engine.faults import Fault, InvalidMessage, TechnicalFault, fault_of
from integrations.engine.files import feed_of
from integrations.engine.rows import insert_rows
from integrations.engine.segment_body import BodyMaker, Question
from integrations.engine.segment_part import Part
from integrations.engine.stream import Kind, Level
from integrations.models import Connection, Step

if TYPE_CHECKING:
    from integrations.engine.context import Run

SIZE = 1000  # records a segment (seed 002)
AT_ONCE = 4  # segments under way where the connection sets no number
AHEAD = 4  # segments handed to the threads at once, for each one under way: they must not wait for a commit
LARGE = 256 * 1024  # bytes of a file whose segments are mapped in processes of their own
CHECKED = "records"  # the checkpoint's name for how many records a file was found to have
State = Step.State


@dataclass(frozen=True)
class SegmentJob:
    """What is sent: the file's columns, the operation, and the mapping that makes its body from {message, records}.

    `records`: how many the file must have, where its message says so.
    """

    connection: str
    operation: str
    mapping: str
    message: Any
    columns: tuple[str, ...]
    records: int | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of the file: its records and segments, and how many of these earlier attempts had sent."""

    records: int
    segments: int
    before: int


def send_segments(run: "Run", job: SegmentJob) -> Sent:
    """Send what the target has not acknowledged yet; raises the first fault once nothing is under way any more."""
    row = run.connection(job.connection)
    run.allows_retries(row.retries)
    breaker_check(row)
    large = (feed_of(run).transfer.source_size or 0) > LARGE
    with BodyMaker(
        run, job.mapping, job.message, large=large
    ) as maker:  # its processes start while the file is checked
        total = _checked(run, job)
        sender = _Sender(run, job, row, maker)
        with ThreadPoolExecutor(maker.at_once, "mapper") as mappers:
            sender.send_all(mappers)
    return Sent(total, -(-total // SIZE), sender.before)


def _checked(run: "Run", job: SegmentJob) -> int:
    """Read the whole file once before any of it is sent, so that a broken one is refused whole; how many records."""
    known = run.instance.checkpoint.get(CHECKED)
    if known is not None:
        return int(known)
    feed = feed_of(run)
    with feed.open() as reader:
        found = CsvRecords(reader, job.columns, name=feed.transfer.source_name).count()
    if job.records is not None and job.records != found:
        raise InvalidMessage(
            f"The file {feed.transfer.source_name} has {found} records, but its message says {job.records}",
            hint="Send the file again as a whole, with the right count, under a new message id.",
        )
    with run.claim.writing():
        run.instance.checkpoint = {**run.instance.checkpoint, CHECKED: found}
        run.instance.save(update_fields=["checkpoint"])
        run.note(f"{feed.transfer.source_name} holds {found} records, in segments of {SIZE}")
    return found


@dataclass
class _Sender:
    """Sends a file's segments in groups: one group is on its way while the next one is read."""

    run: "Run"
    job: SegmentJob
    row: Connection
    maker: BodyMaker
    before: int = 0
    fault: Fault | None = None
    under_way: list[Part] = field(default_factory=list)
    sending: "list[Future[None]]" = field(default_factory=list)
    mapping: "list[Future[bytes]]" = field(default_factory=list)
    news: "SimpleQueue[Question | None]" = field(default_factory=SimpleQueue)

    def __post_init__(self) -> None:
        self.endpoint: Endpoint = connection_endpoint(self.row)
        self.at_once = self.row.parallel or AT_ONCE
        steps = Step.objects.filter(instance=self.run.instance, key__startswith="segment ")
        self.steps = {step.key: step for step in steps}

    @contextmanager
    def answering(self, mappers: ThreadPoolExecutor) -> Iterator[None]:
        """At the end, what is still being mapped for nothing gets its answers, so that no thread waits for ever."""
        try:
            yield
        finally:
            mappers.shutdown(wait=False, cancel_futures=True)
            while any(future.running() for future in self.mapping):
                with suppress(Empty):
                    question = self.news.get(timeout=0.05)
                    if question is not None:
                        question.answer()

    def send_all(self, mappers: ThreadPoolExecutor) -> None:
        """Every segment not done before."""
        feed = feed_of(self.run)
        pool = ThreadPoolExecutor(self.at_once, "segment")
        with feed.open() as reader, pool, self.answering(mappers):
            records = CsvRecords(reader, self.job.columns, name=feed.transfer.source_name)
            parts = self._parts(records, mappers)
            try:
                while self.fault is None and (group := list(islice(parts, self.at_once * AHEAD))):
                    self._next(pool, group)
            finally:
                self._next(pool, [])
        if self.fault is not None:
            raise self.fault

    def _parts(self, records: CsvRecords, mappers: ThreadPoolExecutor) -> Iterator[Part]:
        """The segments that are not done, each about to be mapped."""
        for number, segment in enumerate(records.segments(SIZE), start=1):
            step = self.steps.get(f"segment {number}")
            if step is not None and step.state == State.DONE:
                self.before += 1
            else:
                repeat = step is not None and step.state in (State.INTENT, State.UNKNOWN)
                body = mappers.submit(self.maker.body, segment, self.news.put)
                self.mapping.append(body)
                yield Part(number, segment, step, repeat, body)

    def _next(self, pool: ThreadPoolExecutor, group: list[Part]) -> None:
        """Record what was under way, and with the same commit the intents of the next group; then send that."""
        ended = self._ended()
        if not ended and not group:
            return
        crash("segments_sent_not_recorded")
        with self.run.claim.writing():
            self._record(ended)
            if self.fault is None:
                self._intend(group)
            self.run.stream.flush()
        crash("segments_intended")
        if self.fault is not None:
            breaker_failed(self.row, self.fault)
            return
        if ended:
            breaker_worked(self.row)
        self.run.claim.check()
        self.under_way = group
        for one in group:
            self.sending.append(pool.submit(self._send, one))
            self.sending[-1].add_done_callback(self._told)
        self.mapping = [one.body for one in group]

    def _told(self, _: "Future[None]") -> None:
        self.news.put(None)

    def _ended(self) -> list[Part]:
        """What was under way, once it is not any more; questions of its mappings are answered meanwhile."""
        while not all(future.done() for future in self.sending):
            question = self.news.get()
            if question is not None:
                question.answer()
        ended, self.under_way, self.sending = self.under_way, [], []
        for one in ended:
            one.kept = self.run.stream.kept(one.body.result() if one.size else None)
        return ended

    def _send(self, one: Part) -> None:
        """Map and send one segment, in a thread of the pool; nothing new once one has failed or the hub is stopping."""
        if self.fault is not None or self.run.claim.lost or leases.stop_asked():
            return
        one.began = started = timezone.now()
        try:
            body = one.body.result()
            one.size = len(body)
            key = f"{self.run.effect_key}:{one.key}"
            request = Request(self.job.operation, headers={"Idempotency-Key": key}, body=body)
            one.response = call_target(self.endpoint, request)
        except BaseException as error:  # noqa: BLE001  (a panic of the mapping library is none, and must not pass for sent)
            one.error = (
                error if isinstance(error, Exception) else TechnicalFault(f"{type(error).__name__}: {error}")
            )
            self.fault = self.fault or self._fault(one, one.error)
        crash("segment_sent")
        one.milliseconds = (timezone.now() - started).total_seconds() * 1000

    def _fault(self, one: Part, error: Exception) -> Fault:
        found = fault_of(error, connection=self.row.name)
        found.step = one.key
        return found

    def _intend(self, group: list[Part]) -> None:
        """That these are about to be sent."""
        instance, fence = self.run.instance, self.run.claim.fence
        insert_rows(
            [Step(instance=instance, key=one.key, attempt=fence) for one in group if one.step is None]
        )
        known = [one.step.pk for one in group if one.step is not None]
        if known:
            fresh = {"state": State.INTENT, "attempt": fence, "started_at": timezone.now(), "ended_at": None}
            Step.objects.filter(pk__in=known).update(**fresh)
        for one in group:
            if one.repeat:
                self.run.note(
                    f"It is not known whether {one.key} arrived; it is sent again with the same key",
                    warning=True,
                )

    def _record(self, ended: list[Part]) -> None:
        """What became of these, and a line for each in the activity stream."""
        self._end([one for one in ended if one.response is not None], State.DONE, {})
        for one in ended:
            if one.error is not None:
                fault = fault_of(one.error, connection=self.row.name)
                self._end([one], State.UNKNOWN if fault.uncertain else State.FAILED, {"fault": fault.text})
            elif one.response is None:
                self._end([one], State.FAILED, {"fault": "not sent: stopped before it was its turn"})
            if one.response is not None or one.error is not None:
                self._say(one)

    def _end(self, parts: list[Part], state: str, result: dict[str, Any]) -> None:
        if parts:
            mine = Step.objects.filter(instance=self.run.instance, key__in=[one.key for one in parts])
            mine.update(state=state, result=result, ended_at=timezone.now())

    def _say(self, one: Part) -> None:
        answer = one.response or (one.error if isinstance(one.error, Refused) else None)
        said = f": {fault_of(one.error, connection=self.row.name).text}" if one.error is not None else ""
        self.run.stream.say(
            Kind.CALLED,
            f"Segment {one.number}, {len(one.segment)} records, by {self.job.operation} at {self.row.name}{said}",
            level=Level.INFO if one.error is None else Level.ERROR,
            connection=self.row,
            operation=self.job.operation,
            at=one.began or timezone.now(),
            duration_ms=one.milliseconds,
            bytes_out=one.size,
            bytes_in=len(answer.body) if answer else None,
            status_code=answer.status if answer else None,
            payload_out=one.kept,
        )
