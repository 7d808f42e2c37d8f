"""Checking new tickets one by one (seed 004 table 5.1): what is wrong is noted, what can be mended is."""

from datetime import datetime, timedelta

from crm.config import Config
from crm.operations.problems import Problems
from crm.operations.ticket_places import check_place
from crm.outage.draft import Draft, Plain
from crm.outage.positions import Projector
from crm.wire.values import flag_of, moment_of, moment_text, text_of, whole_of


class TicketChecks:
    """What a message's tickets are checked by."""

    def __init__(self, settings: Config, problems: Problems, now: datetime, projector: Projector) -> None:
        """`now`: when the message came; `projector`: from the sender's coordinates to the model's."""
        self.settings, self.problems, self.now, self.projector = settings, problems, now, projector
        self._future = now + timedelta(seconds=settings.properties.number("created.tolerance.seconds", 60))
        self._limit = settings.comment_limit
        self._default_source = settings.unknown_source

    def check(self, given: Plain, place: int, header_source: str) -> Draft:
        """The ticket at this place (from 1) of the message; its Draft says whether it can be created.

        OutOfRange where a date-time cannot be kept.
        """
        draft = Draft(given, text_of(given.get("name")) or str(place))
        self._trouble_code(draft)
        self._comment(draft)
        self._source(draft, header_source)
        self._language(draft)
        self._times(draft)
        if "IncidentHazard" in given:
            self._hazards(draft)
        draft.call_back = flag_of(given.get("callBack"))
        if draft.call_back or "CallBacks" in given:
            self._callback(draft)
        usage_point = given.get("UsagePoint")
        if usage_point:
            draft.usage_point = text_of(usage_point.get("mRID"))
        if "Location" in given:
            check_place(draft, self.settings, self.problems, self.projector)
        return draft

    def _trouble_code(self, draft: Draft) -> None:
        code = text_of(draft.given.get("troubleCode"))
        found = self.settings.trouble_codes.find(code) if code else None
        if found is not None:
            draft.trouble_code = found
            return
        draft.fatal = True
        if code:
            self.problems.add("InvalidTroubleCode", value=code, named=draft.label)
        else:
            self.problems.add("MissingTroubleCode", named=draft.label)

    def _comment(self, draft: Draft) -> None:
        draft.comment = draft.given.get("comment") or ""
        if len(draft.comment) > self._limit:
            draft.comment = draft.comment[: self._limit]
            self.problems.add("CommentExceedsLimit", named=draft.label)

    def _source(self, draft: Draft, header_source: str) -> None:
        given = text_of(draft.given.get("source"))
        found = self.settings.sources.find(given or header_source)
        draft.source = found or self._default_source
        if found is None and given:
            self.problems.add("InvalidCallSource", value=given, named=draft.label)

    def _language(self, draft: Draft) -> None:
        given = draft.given.get("languageId")
        draft.language = self.settings.default_language
        if given is None:
            return
        found = whole_of(given)
        if found in self.settings.languages and found is not None:
            draft.language = found
        else:
            self.problems.add("InvalidLanguageId", value=text_of(given), named=draft.label)

    def _times(self, draft: Draft) -> None:
        created, first = draft.given.get("createdDateTime"), draft.given.get("firstCallDateTime")
        draft.event_at = moment_of(created) if created else self.now
        draft.received_at = moment_of(first) if first else self.now
        if draft.event_at > self._future:
            draft.event_at = self.now
            self.problems.add("InvalidCreatedDateTime", named=draft.label)

    def _hazards(self, draft: Draft) -> None:
        said = [text_of(one.get("mRID")) for one in draft.given["IncidentHazard"]]
        for given in filter(None, said):
            found = self.settings.hazards.find(given)
            if found is None:
                self.problems.add("InvalidHazardType", value=given, named=draft.label)
            elif found not in draft.hazards:
                draft.hazards.append(found)
                draft.special = draft.special or self.settings.is_special(found)

    # -- the callback that is asked for ------------------------------------------------------------------

    def _callback(self, draft: Draft) -> None:
        asked = draft.given.get("CallBacks", [])
        for one in asked:
            self._media(draft, text_of(one.get("contactDetail")))
        periods = [period for one in asked for period in one.get("Periods", []) if any(period.values())]
        if draft.call_back and not periods:
            self.problems.add("CallbackPeriodMissing", named=draft.label)
        good = self._period if draft.call_back else _as_it_is
        draft.periods = [kept for period in periods if (kept := good(draft, period))]

    def _media(self, draft: Draft, given: str) -> None:
        found = self.settings.media.find(given) if given else None
        if found is not None and found not in draft.media:
            draft.media.append(found)
        elif given and found is None:
            self.problems.add("InvalidContactDetail", value=given, named=draft.label)

    def _period(self, draft: Draft, period: Plain) -> Plain | None:
        """The period, None where it is not imported: its end lies before its start, or is over."""
        start, end = _moment(period, "start"), _moment(period, "end")
        if start and end and end < start:
            self.problems.add("InvalidPeriod", value=f"{moment_text(start)} - {moment_text(end)}")
            return None
        if end and end < self.now:
            self.problems.add("CallbackPeriodEndDateTimeInPast", named=draft.label)
            return None
        return _as_it_is(draft, period)


def _moment(period: Plain, name: str) -> datetime | None:
    return moment_of(period[name]) if period.get(name) else None


def _as_it_is(_: Draft, period: Plain) -> Plain | None:
    return {name: moment_of(text).isoformat() for name, text in period.items() if text}
