"""People of the console, by role."""

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

PASSWORD = "quiet-harbour-lantern"


@pytest.fixture
def person(db):
    """`person("Viewer")` makes a user with that role; without one, a user who may only log in."""

    def make(role: str = "", **more) -> User:
        user = User.objects.create_user(
            more.pop("username", role or "nobody"), password=PASSWORD, is_staff=True, **more
        )
        if role:
            user.groups.add(Group.objects.get(name=role))
        return user

    return make


@pytest.fixture
def browser(person):
    """`browser("Viewer")` is a test client logged in with that role."""

    def open_as(role: str = "", **more) -> Client:
        client = Client()
        client.force_login(person(role, **more))
        return client

    return open_as


@pytest.fixture
def console(admin_client: Client) -> Client:
    """A superuser's browser."""
    return admin_client
