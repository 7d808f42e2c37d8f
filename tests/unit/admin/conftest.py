"""People and pages for the console's tests."""

from typing import Any

import pytest
from django.test import Client as Browser
from django.urls import reverse

from tests import factories


@pytest.fixture
def admin(db) -> Browser:
    """A superuser's browser."""
    return _enter(factories.UserFactory(username="root", is_superuser=True))


@pytest.fixture
def viewer(db) -> Browser:
    """A viewer's."""
    return _enter(factories.UserFactory(username="vera", role="Viewer"))


@pytest.fixture
def operator(db) -> Browser:
    """An operator's."""
    return _enter(factories.UserFactory(username="olga", role="Operator"))


@pytest.fixture
def configurator(db) -> Browser:
    """A configurator's."""
    return _enter(factories.UserFactory(username="conny", role="Configurator"))


def _enter(user: Any) -> Browser:
    browser = Browser()
    browser.force_login(user)
    return browser


def page_of(row: Any, name: str = "change") -> str:
    """A row's page in the console."""
    meta = row._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_{name}", args=[row.pk])


def list_of(model: Any) -> str:
    """A model's list."""
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def text_of(answer: Any) -> str:
    """An answer's HTML."""
    text: str = answer.content.decode()
    return text
