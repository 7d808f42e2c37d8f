"""The five roles and what each may do (design section 6)."""

import pytest
from django.contrib.auth.models import Group, Permission

from hub.roles import ROLES, matches, roles_grant

ALLOWED = {
    "Viewer": [
        "integrations.view_instance",
        "integrations.view_connection",
        "integrations.view_errorinstance",
    ],
    "Operator": [
        "integrations.run_flow",
        "integrations.resubmit_instance",
        "integrations.discard_instance",
        "integrations.read_payload",
    ],
    "Configurator": [
        "integrations.change_connection",
        "integrations.add_schedule",
        "integrations.test_connection",
        "integrations.activate_flow",
        "integrations.trace_flow",
        "integrations.change_mappingextension",
    ],
    "Administrator": ["integrations.add_client", "integrations.view_auditentry", "auth.change_user"],
}
REFUSED = {
    "Viewer": ["integrations.read_payload", "integrations.run_flow", "integrations.view_auditentry"],
    "Business admin": [
        "integrations.run_flow",
        "integrations.change_connection",
        "integrations.resubmit_instance",
    ],
    "Operator": ["integrations.change_connection", "integrations.change_flow", "auth.view_user"],
    "Configurator": ["integrations.resubmit_instance", "integrations.add_client", "auth.change_user"],
    "Administrator": ["django_q.view_success", "django_q.add_schedule", "oauth2_provider.change_application"],
}


@pytest.mark.parametrize(
    ("role", "name"), [(role, name) for role, names in ALLOWED.items() for name in names]
)
def test_a_role_may(person, role, name):
    assert person(role).has_perm(name)


@pytest.mark.parametrize(
    ("role", "name"), [(role, name) for role, names in REFUSED.items() for name in names]
)
def test_a_role_may_not(person, role, name):
    assert not person(role).has_perm(name)


def test_everyone_with_a_role_sees_what_a_viewer_sees(person):
    seen = person("Viewer").get_all_permissions()
    assert seen
    for role in ROLES:
        assert seen <= person(role, username=f"a {role}").get_all_permissions()


def test_a_business_admin_edits_lookup_rows_and_nothing_else(person):
    names = {name for name in person("Business admin").get_all_permissions() if ".view_" not in name}
    assert names
    assert {name.split(".")[0] for name in names} == {"lookups"}


def test_nothing_of_the_queue_is_in_any_role(db):
    granted = Permission.objects.filter(group__isnull=False).values_list("content_type__app_label", flat=True)
    assert "django_q" not in set(granted)
    assert "hub" not in set(granted)


def test_what_was_changed_in_a_shipped_role_is_put_back(db):
    viewer = Group.objects.get(name="Viewer")
    before = set(viewer.permissions.all())
    viewer.permissions.set(Permission.objects.filter(codename="run_flow"))
    roles_grant()
    assert set(viewer.permissions.all()) == before


def test_granting_again_writes_nothing(db, django_assert_num_queries):
    roles_grant()
    with django_assert_num_queries(1 + 2 * len(ROLES)):
        roles_grant()


def test_a_site_s_own_role_is_left_alone(db):
    own = Group.objects.create(name="Night shift")
    own.permissions.set(Permission.objects.filter(codename="run_flow"))
    roles_grant()
    assert own.permissions.count() == 1


@pytest.mark.parametrize(
    ("name", "patterns", "meant"),
    [
        ("a.view_x", ["a.view_*"], True),
        ("a.view_x", ["a.view_*", "!a.view_x"], False),
        ("a.view_x", ["!a.view_x"], False),
        ("b.view_x", ["a.*"], False),
    ],
)
def test_patterns(name, patterns, meant):
    assert matches(name, patterns) is meant
