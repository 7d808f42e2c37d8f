"""Save a site's mapping extension once it compiles and works on its sample."""

from collections.abc import Sequence

from django.db import transaction

from integrations.engine.faults import Conflict
from integrations.models import MappingExtension
from integrations.services.audit import audit
from integrations.services.studio_trouble import EXPRESSION, OTHER, POINTER, Trouble
from integrations.services.studio_try import draft_check, draft_of, studio_try


class ExtensionProblems(Exception):
    """The extension would not work; `problems` is field → sentence."""

    def __init__(self, problems: dict[str, str]) -> None:
        """`problems`: never empty."""
        super().__init__("; ".join(problems.values()))
        self.problems = problems


def extension_problems(
    extension: MappingExtension, *, among: Sequence[MappingExtension] | None = None
) -> dict[str, str]:
    """Field → what is wrong with it; {} if it can be saved. Runs it on its sample, where it has one.

    `among`: the mapping's extensions as they would be; None for those that are stored.
    """
    found: dict[str, str] = {}
    if not extension.reason.strip():
        found["reason"] = "Say why the site needs it"
    if not extension.expression.strip():
        found["expression"] = "Write an expression that returns the fields to set"
    if extension.pointer and not extension.pointer.startswith("/"):
        found["pointer"] = "A JSON Pointer begins with /, e.g. /items/*; empty means the whole target"
    if found:
        return found
    trouble = draft_check(draft_of(extension))
    if trouble is not None:
        return {trouble.where: said(trouble)}
    return _tried(extension, among) if extension.sample else {}


def _tried(extension: MappingExtension, among: Sequence[MappingExtension] | None) -> dict[str, str]:
    tried = studio_try(draft=draft_of(extension), source=extension.sample, among=among)
    if tried.trouble is not None:
        where = POINTER if tried.trouble.where == POINTER else EXPRESSION
        return {where: f"With the sample: {said(tried.trouble)}"}
    if not tried.items:
        return {"pointer": f"The sample's list at {extension.pointer} has no items to try this with"}
    return {}


def said(trouble: Trouble) -> str:
    """A trouble as one text: what, whose, and what to do."""
    whose = {"base": "the base mapping fails: ", OTHER: "another extension fails: "}.get(trouble.where, "")
    return f"{whose}{trouble.text} {trouble.hint}".strip()


def extension_save(
    *,
    extension: MappingExtension,
    actor: str,
    address: str | None = None,
    seen: int | None = None,
    action: str = "",
    checked: bool = False,
) -> MappingExtension:
    """Check, try, save with history and the base it was tried with, audit; ExtensionProblems where it would not work.

    `seen`: the version (its history id) that the person began from; Conflict where somebody saved another meanwhile.
    `checked`: the caller has just asked for its problems, before its transaction began, and there were none.
    """
    problems = {} if checked else extension_problems(extension)
    if problems:
        raise ExtensionProblems(problems)
    made = extension.pk is None
    extension.base_digest = extension.mapping.digest
    extension.base_expression = extension.mapping.expression
    with transaction.atomic():
        if not made:
            _expect_unchanged(extension, seen)
        extension.save()
        audit(
            actor=actor,
            action=action or ("extension_create" if made else "extension_change"),
            subject=f"mappingextension:{extension.pk}",
            detail={
                "mapping": str(extension.mapping),
                "pointer": extension.pointer,
                "active": extension.active,
                "reason": extension.reason,
            },
            address=address,
        )
    return extension


def version_of(extension: MappingExtension) -> int:
    """The newest version's history id; 0 where there is none."""
    newest: int | None = (
        extension.history.order_by("-history_id").values_list("history_id", flat=True).first()
    )
    return newest or 0


def _expect_unchanged(extension: MappingExtension, seen: int | None) -> None:
    MappingExtension.objects.select_for_update().filter(pk=extension.pk).first()
    if seen is not None and version_of(extension) != seen:
        raise Conflict(
            "Somebody saved another version of this extension while you were editing",
            hint="Open its versions, take over what you need, and save again.",
        )
