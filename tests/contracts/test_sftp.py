"""What is particular to SFTP: keys, host keys, and what OpenSSH does that our own server does not."""

import io
import os
import signal
import socket
import subprocess
import threading
import time
from dataclasses import replace

import paramiko
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from paramiko.sftp import SFTP_FAILURE, SFTP_OP_UNSUPPORTED

from demo.sftp import SftpServer, User
from demo.sftp_files import Files, Login
from integrations.adapters import adapter_class, open_adapter
from integrations.adapters.contract import CHUNK, Endpoint
from integrations.adapters.errors import (
    AlreadyExists,
    Dropped,
    HostKeyRefused,
    LoginRefused,
    Misconfigured,
    TimedOut,
    Unreachable,
)
from integrations.adapters.sftp import Sftp
from tests.contracts import sites
from tests.contracts.conftest import kinds

MB = 1024 * 1024


@pytest.fixture
def server(tmp_path):
    with SftpServer(tmp_path / "ccs", {"ccs": "right-password"}) as found:
        yield found


def endpoint(server, **changes):
    settings = {"host": server.host, "port": server.port, "user": "ccs"}
    whole = {"secrets": {"password": "right-password"}, "host_key": server.host_key, **changes}
    return Endpoint("CCS", "sftp", settings, **whole)


def names(found):
    with Sftp(found) as store:
        return [info.name for info in store.list("")]


# -- host keys -----------------------------------------------------------------------------------------------


def test_an_unknown_host_key_is_refused_and_offered(server):
    with pytest.raises(HostKeyRefused, match="not known yet") as raised:
        names(endpoint(server, host_key=""))
    assert raised.value.offered == server.host_key
    assert raised.value.fingerprint.startswith("SHA256:")
    assert raised.value.fingerprint in raised.value.text


def test_a_changed_host_key_is_refused_with_both_fingerprints(server):
    other = sites.host_key_of(paramiko.ECDSAKey.generate())
    with pytest.raises(HostKeyRefused, match="has changed") as raised:
        names(endpoint(server, host_key=other))
    assert raised.value.text.count("SHA256:") == 2
    assert "listening in" in raised.value.hint


def test_a_stored_key_of_another_type_is_a_changed_key(server):
    _, other = sites.new_key()
    with pytest.raises(HostKeyRefused, match="has changed") as raised:
        names(endpoint(server, host_key=other))
    assert raised.value.offered == server.host_key


def test_no_log_in_is_tried_at_a_server_with_another_key(server, monkeypatch):
    tried = []

    def refuse(login, user, password):
        tried.append(user)
        return paramiko.common.AUTH_FAILED

    monkeypatch.setattr(Login, "check_auth_password", refuse)
    with pytest.raises(HostKeyRefused):
        names(endpoint(server, host_key=sites.host_key_of(paramiko.ECDSAKey.generate())))
    assert tried == []


def test_one_of_several_stored_keys_is_enough(server):
    text = f"# rolled in May\n{sites.new_key()[1]}\n[127.0.0.1]:22 {server.host_key} a comment\n"
    assert names(endpoint(server, host_key=text)) == []


def test_test_offers_an_unknown_key_as_it_is_to_be_stored(server):
    with open_adapter(endpoint(server, host_key="")) as store:
        last = store.test()[-1]
    assert (last.what, last.ok, last.offered_host_key) == ("Check host key", False, server.host_key)


@pytest.mark.sshd
def test_openssh_fingerprints_are_ours(tmp_path):
    with sites.sshd(tmp_path) as site:
        with pytest.raises(HostKeyRefused) as raised:
            names(replace(site.endpoint, host_key=""))
        command = ["ssh-keygen", "-lf", str(tmp_path / "sshd" / "host_key.pub")]
        (tmp_path / "sshd" / "host_key.pub").write_text(site.endpoint.host_key)
        shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert raised.value.fingerprint in shown


# -- our own keys --------------------------------------------------------------------------------------------


def pem(key, passphrase="", form=serialization.PrivateFormat.OpenSSH):
    protection = (
        serialization.BestAvailableEncryption(passphrase.encode())
        if passphrase
        else serialization.NoEncryption()
    )
    private = key.private_bytes(serialization.Encoding.PEM, form, protection).decode()
    public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    return private, public.decode()


KEYS = {
    "ed25519": ed25519.Ed25519PrivateKey.generate,
    "ecdsa": lambda: ec.generate_private_key(ec.SECP384R1()),
    "rsa": lambda: rsa.generate_private_key(65537, 2048),
}
FORMS = {"openssh": serialization.PrivateFormat.OpenSSH, "pkcs8": serialization.PrivateFormat.PKCS8}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", KEYS)
@pytest.mark.parametrize("passphrase", ["", "key-passphrase"])
def test_a_key_logs_in(server, kind, form, passphrase):
    private, public = pem(KEYS[kind](), passphrase, FORMS[form])
    server.users["ccs"] = User(keys=(public,))
    secrets = {"private_key": private, "passphrase": passphrase}
    assert names(endpoint(server, secrets=secrets)) == []


def test_a_key_the_server_does_not_know_is_refused(server):
    with pytest.raises(LoginRefused, match="ccs"):
        names(endpoint(server, secrets={"private_key": sites.new_key()[0]}))


@pytest.mark.parametrize(
    "secrets",
    [{"private_key": "nonsense"}, {"private_key": pem(KEYS["ed25519"](), "right")[0], "passphrase": "wrong"}],
)
def test_a_key_that_cannot_be_read_is_a_problem_of_the_settings(server, secrets):
    with pytest.raises(Misconfigured, match="cannot be read"):
        names(endpoint(server, secrets=secrets))
    assert any(
        "cannot be read" in said for said in adapter_class("sftp").problems(endpoint(server, secrets=secrets))
    )


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"host_key": ""}, "host key is missing"),
        ({"host_key": "ssh-ed25519 !!!"}, "is none"),
        ({"secrets": {}}, "neither a password nor a private key"),
        ({"settings": {"host": "h", "user": "u", "port": "70000"}}, "70000"),
        ({"settings": {"host": "h", "user": "u", "port": "x"}}, "not a whole number"),
        ({"settings": {}}, "Host is missing"),
    ],
)
def test_settings_that_cannot_work_are_named(server, changes, said):
    problems = adapter_class("sftp").problems(replace(endpoint(server), **changes))
    assert any(said in problem for problem in problems), problems


@pytest.mark.parametrize("said", [SFTP_FAILURE, SFTP_OP_UNSUPPORTED])
def test_a_server_whose_own_rename_does_not_work_is_asked_for_the_other(server, monkeypatch, said):
    monkeypatch.setattr(Files, "rename", lambda files, old, new: said)
    with Sftp(endpoint(server)) as store:
        store.write("", "a", io.BytesIO(b"x"))
        store.rename("", "a", "b")
        assert (store.stat("", "a"), store.stat("", "b").size) == (None, 1)


def test_a_name_taken_in_the_last_moment_is_not_replaced(server, monkeypatch):
    def taken(files, old, new):
        (files.home / new).write_bytes(b"other")
        return SFTP_FAILURE

    monkeypatch.setattr(Files, "rename", taken)
    with Sftp(endpoint(server)) as store:
        store.write("", "a", io.BytesIO(b"x"))
        with pytest.raises(AlreadyExists):
            store.rename("", "a", "b")
        assert store.stat("", "b").size == 5


# -- servers that are not what they should be -----------------------------------------------------------------


class Talker:
    """A listener that says one thing, then nothing."""

    def __init__(self, said: bytes) -> None:
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.said = said
        self.held: list[socket.socket] = []
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        try:
            conn, _ = self.listening.accept()
            self.held.append(conn)
            conn.sendall(self.said)
        except OSError:
            return

    def stop(self):
        self.thread.join()
        for found in (*self.held, self.listening):
            found.close()


@pytest.mark.parametrize("said", [b"", b"SSH-2.0-Silent\r\n"])
def test_a_server_that_falls_silent_while_connecting_does_not_hold_a_worker(said):
    talker, began = Talker(said), time.monotonic()
    settings = {"host": "127.0.0.1", "port": talker.listening.getsockname()[1], "user": "x"}
    silent = Endpoint("S", "sftp", settings, {"password": "p"}, connect_timeout=0.5, read_timeout=0.5)
    with pytest.raises((TimedOut, Unreachable)):
        names(silent)
    talker.stop()
    assert time.monotonic() - began < 5


def test_a_server_that_speaks_something_else_is_said_so():
    talker = Talker(b"HTTP/1.1 400 Bad Request\r\n\r\n" * 200)
    settings = {"host": "127.0.0.1", "port": talker.listening.getsockname()[1], "user": "x"}
    with pytest.raises((Unreachable, TimedOut)) as raised:
        names(Endpoint("S", "sftp", settings, {"password": "p"}, connect_timeout=2))
    talker.stop()
    assert raised.value.passing


def test_a_server_with_sha1_keys_only_gets_a_hint(server, monkeypatch):
    refusal = paramiko.ssh_exception.IncompatiblePeer("Incompatible ssh peer (no acceptable host key)")

    def refuse(*args, **kwargs):
        raise refusal

    monkeypatch.setattr(paramiko.Transport, "start_client", refuse)
    with pytest.raises(Misconfigured) as raised:
        names(endpoint(server))
    assert "ssh-rsa" in raised.value.hint


# -- real OpenSSH --------------------------------------------------------------------------------------------


def drain(reader):
    while reader.read(CHUNK):
        pass


@pytest.fixture
def real(tmp_path):
    with sites.sshd(tmp_path) as found:
        yield found


@pytest.mark.sshd
def test_openssh_speaks_the_fast_cipher_and_offers_its_extensions(real):
    with real.store() as store:
        list(store.list(real.directory))
        with store._pool.lend() as session:
            assert session.transport.remote_cipher == "aes128-gcm@openssh.com"
            assert {"fsync@openssh.com", "posix-rename@openssh.com"} <= set(session.wire.extensions)
            assert session.wire.space_left(b".") > 0


@pytest.mark.sshd
def test_a_session_killed_midway_is_dropped_and_the_next_one_works(real):
    real.put("big", b"x" * 30 * MB)
    with real.store() as store:
        with store.open(real.directory, "big") as reader:
            reader.read(CHUNK)
            real.server.signal(signal.SIGKILL)
            with pytest.raises(Dropped):
                drain(reader)
        assert store.stat(real.directory, "big").size == 30 * MB


class Stopping:
    """Bytes without end, and a session that stops working after some."""

    def __init__(self, server) -> None:
        self.server, self.given = server, 0

    def read(self, size=-1, /):
        self.given += size
        if self.given == 3 * MB:
            self.server.signal(signal.SIGSTOP)
        return b"x" * size


@pytest.mark.sshd
def test_a_session_that_stops_taking_bytes_does_not_hold_a_worker_for_ever(real):
    began = time.monotonic()
    with real.store(read_timeout=1.0) as store, pytest.raises((TimedOut, Dropped)):
        store.write(real.directory, "big", Stopping(real.server))
    assert time.monotonic() - began < 20


@pytest.mark.sshd
def test_ten_thousand_names_are_listed_in_order(real):
    for number in range(10_000):
        (real.folder / f"f{number:05}").touch()
    with real.store() as store:
        found = [info.name for info in store.list(real.directory)]
    assert found == [f"f{number:05}" for number in range(10_000)]


@pytest.mark.parametrize("site", kinds("sftp", "sshd"), indirect=True)
def test_links_are_followed_and_what_is_no_file_has_trouble(store, site):
    site.put("file", b"abc")
    (site.folder / "link").symlink_to("file")
    (site.folder / "broken").symlink_to("nothing")
    os.mkfifo(site.folder / "pipe")
    found = {info.name: (info.size, bool(info.trouble)) for info in store.list(site.directory)}
    assert found["link"] == (3, False)
    assert found["broken"][1]
    assert found["pipe"][1]
