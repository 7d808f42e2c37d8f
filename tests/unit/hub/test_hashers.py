"""Machine secrets: fast, salted, and never a person's password."""

import pytest
from django.contrib.auth.hashers import check_password, identify_hasher, make_password

from hub.hashers import MachineSecretHasher

SECRET = "k3WqF0nPz7yLr2VtXb9AmC5s"


def test_a_secret_is_recognised_by_its_hash():
    encoded = make_password(SECRET, hasher="machine_secret")
    assert identify_hasher(encoded).algorithm == "machine_secret"
    assert check_password(SECRET, encoded)
    assert not check_password(SECRET[:-1] + "x", encoded)


def test_two_clients_with_one_secret_have_different_hashes():
    assert make_password(SECRET, hasher="machine_secret") != make_password(SECRET, hasher="machine_secret")


def test_a_short_secret_is_refused_with_its_length_but_not_its_text():
    with pytest.raises(ValueError, match="at least 24 characters, not 8") as refusal:
        MachineSecretHasher().encode("password", "salt")
    assert "password" not in str(refusal.value)


@pytest.mark.parametrize("salt", ["", "a$b"])
def test_a_salt_that_would_break_the_stored_form_is_refused(salt):
    with pytest.raises(ValueError, match="salt"):
        MachineSecretHasher().encode(SECRET, salt)


def test_a_page_shows_neither_salt_nor_hash_in_full():
    encoded = MachineSecretHasher().encode(SECRET, "saltsaltsalt")
    summary = MachineSecretHasher().safe_summary(encoded)
    assert summary["algorithm"] == "machine_secret"
    assert encoded.split("$")[2] not in str(summary)


def test_stored_hashes_stay_as_they_are():
    hasher = MachineSecretHasher()
    assert not hasher.must_update(hasher.encode(SECRET, "salt"))
