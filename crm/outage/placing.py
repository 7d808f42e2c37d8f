"""Placing tickets in the outage model: their service delivery points, and the incidents they join or open.

A ticket joins the open incident of its service delivery point, else of its transformer, else opens one. The number of
statements does not grow with the number of tickets. Call it inside a transaction.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import connection

from crm.models import Incident, ServiceDeliveryPoint, TroubleTicket
from crm.outage.bulk import Row, adapted, among, column_names, fetch, key_of, put_rows
from crm.outage.draft import Draft
from integrations.models.ids import time_ordered_key

_POINT = ServiceDeliveryPoint._meta.db_table
_TICKET = TroubleTicket._meta.db_table
_INCIDENT = Incident._meta.db_table
# In the words of the index of open scopes, or it would not be used.
_OPEN = "restored_at IS NULL AND NOT (scope = '')"
AT_ONCE = 1000
_COLUMNS = (
    "id",
    "status",
    "comment",
    "cause",
    "subcause",
    "scope",
    "service_point",
    "transformer_id",
    "x",
    "y",
    "created_at",
    "updated_at",
)


def find_service_points(drafts: Sequence[Draft]) -> None:
    """Set what is known of the drafts' service delivery points, and how often each has called before."""
    named = sorted({draft.usage_point for draft in drafts if draft.usage_point})
    if not named:
        return
    where, value = among("mrid", named)
    sql = f"SELECT mrid, transformer_id, x, y FROM {_POINT} WHERE {where}"  # noqa: S608
    known = {row[0]: row for row in fetch(sql, [value])}
    counted = _previous(sorted(known))
    for draft in drafts:
        row = known.get(draft.usage_point)
        if row is not None:
            draft.service_point, draft.transformer = row[0], row[1]
            draft.at_point = None if row[2] is None or row[3] is None else (row[2], row[3])
            draft.previous = counted[row[0]]
            counted[row[0]] += 1


def _previous(points: Sequence[str]) -> Counter[str]:
    if not points:
        return Counter()
    where, value = among("service_point_id", points)
    sql = f"SELECT service_point_id, count(*) FROM {_TICKET} WHERE {where} GROUP BY service_point_id"  # noqa: S608
    return Counter(dict(fetch(sql, [value])))


def scope_of(draft: Draft) -> str:
    """What an incident of this ticket would stand for."""
    if draft.service_point is None:
        return ""
    return f"transformer {draft.transformer}" if draft.transformer else f"service point {draft.service_point}"


def join_incidents(drafts: Sequence[Draft], *, status: str, now: datetime) -> None:
    """Set each draft's incident, and whether it was a confirmed one before."""
    located = [draft for draft in drafts if draft.service_point is not None]
    open_by_point, open_by_scope = _open_incidents(located)
    missing: dict[str, Draft] = {}
    for draft in located:
        found = open_by_point.get(str(draft.service_point)) or open_by_scope.get(scope_of(draft))
        if found:
            draft.incident, draft.affected = found
        else:
            missing.setdefault(scope_of(draft), draft)
    opened = _open_scoped(missing, status, now) if missing else {}
    for draft in located:
        if not draft.incident:
            draft.incident, draft.affected = opened[scope_of(draft)]
    _open_alone([draft for draft in drafts if draft.service_point is None], status, now)


Found = dict[str, tuple[str, bool]]


def _open_incidents(located: Sequence[Draft]) -> tuple[Found, Found]:
    """Open incidents by service delivery point and by scope, held so that none is restored meanwhile."""
    if not located:
        return {}, {}
    points = among("t.service_point_id", sorted({str(draft.service_point) for draft in located}))
    scopes = among("scope", sorted({scope_of(draft) for draft in located}))
    rows = fetch(
        f"SELECT 'p', t.service_point_id, i.id FROM {_TICKET} t JOIN {_INCIDENT} i ON i.id = t.incident_id "  # noqa: S608
        f"WHERE i.restored_at IS NULL AND {points[0]} "
        f"UNION ALL SELECT 's', scope, id FROM {_INCIDENT} WHERE {_OPEN} AND {scopes[0]}",
        [points[1], scopes[1]],
    )
    held = _hold(key_of(row[2]) for row in rows)
    found: dict[str, Found] = {"p": {}, "s": {}}
    for kind, key, identity in rows:
        incident = key_of(identity)
        if incident in held:
            found[kind][key] = (incident, held[incident])
    return found["p"], found["s"]


def _hold(incidents: Iterable[str]) -> dict[str, bool]:
    """Those that are open still, and whether each is confirmed; who would restore one waits for the tickets."""
    wanted = sorted(set(incidents))
    if not wanted:
        return {}
    where, value = among("id", wanted, keys=True)
    rows = fetch(
        f"SELECT id, confirmed_at FROM {_INCIDENT} WHERE restored_at IS NULL AND {where} ORDER BY id{_share()}",  # noqa: S608
        [value],
    )
    return {key_of(key): confirmed is not None for key, confirmed in rows}


def _open_scoped(missing: dict[str, Draft], status: str, now: datetime) -> Found:
    """Open an incident for each scope; where another message was quicker, its incident."""
    found: Found = {}
    while left := sorted(set(missing) - set(found)):  # again, where one was restored in this very moment
        # In one order, or two messages would wait for each other.
        rows = [_row(missing[scope], scope, status, now) for scope in left]
        for start in range(0, len(rows), AT_ONCE):
            _insert_unless_open(rows[start : start + AT_ONCE])
        where, value = among("scope", left)
        held = fetch(
            f"SELECT scope, id, confirmed_at FROM {_INCIDENT} WHERE {_OPEN} AND {where} "  # noqa: S608
            f"ORDER BY scope{_share()}",
            [value],
        )
        found |= {scope: (key_of(key), confirmed is not None) for scope, key, confirmed in held}
    return found


def _share() -> str:
    """Rows that are read may be read by others, and changed by nobody, until the transaction ends."""
    return " FOR SHARE" if connection.vendor == "postgresql" else ""


def _insert_unless_open(rows: Sequence[Row]) -> None:
    names = column_names(Incident, _COLUMNS)
    one = f"({', '.join(['%s'] * len(_COLUMNS))})"
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {_INCIDENT} ({names}) VALUES {', '.join([one] * len(rows))} ON CONFLICT DO NOTHING",  # noqa: S608
            [value for row in adapted(rows) for value in row],
        )


def _open_alone(drafts: Sequence[Draft], status: str, now: datetime) -> None:
    """An incident for each ticket that nothing ties to another."""
    rows = []
    for draft in drafts:
        row = _row(draft, "", status, now)
        draft.incident = row[0]
        rows.append(row)
    put_rows(Incident, _COLUMNS, rows)


def _row(draft: Draft, scope: str, status: str, now: datetime) -> Row:
    x, y = draft.place or (None, None)
    return (
        time_ordered_key(),
        status,
        "",
        "",
        "",
        scope,
        draft.service_point,
        draft.transformer,
        x,
        y,
        now,
        now,
    )


def confirm_by_number(incidents: Iterable[str], *, tickets: int, now: datetime) -> None:
    """Confirm those of the incidents that have so many tickets by now.

    Outside the transaction that wrote the tickets: several messages hold one incident together, and each would wait for
    the others to change it; nor would they see each other's tickets.
    """
    wanted = sorted(set(incidents))
    if not wanted or tickets <= 0:
        return
    where, value = among("i.id", wanted, keys=True)
    hold = " FOR NO KEY UPDATE" if connection.vendor == "postgresql" else ""
    moment = now if connection.vendor == "postgresql" else connection.ops.adapt_datetimefield_value(now)
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {_INCIDENT} SET confirmed_at = %s WHERE confirmed_at IS NULL AND id IN ("  # noqa: S608
            f"SELECT i.id FROM {_INCIDENT} i WHERE i.confirmed_at IS NULL AND {where} AND "
            f"(SELECT count(*) FROM {_TICKET} t WHERE t.incident_id = i.id) >= %s ORDER BY i.id{hold})",
            [moment, value, tickets],
        )
