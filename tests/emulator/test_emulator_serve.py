"""Real clients reach the emulator over real sockets and TLS, and nothing else through it."""

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import msal
import pytest

from reconciler.emulator import scenarios
from reconciler.emulator.app import HOSTS, SCENARIO_HEADER
from reconciler.emulator.faults import Delay, Drop, Fault
from reconciler.emulator.scenario import CLIENT_ID, SECRET, Application, Credentials, Scenario, UserGroup
from reconciler.emulator.serve import Server
from reconciler.errors import ConfigurationError
from tests.emulator.builders import E3, GRAPH, TENANT_ID, key_pair, tenant

SCOPE = ["https://graph.microsoft.com/.default"]


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what the machine says about proxies and certificates out of these tests."""
    for name in list(os.environ):
        if name.lower().endswith("_proxy") or name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "MSAL_FORCE_REGION"):
            monkeypatch.delenv(name)


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A small world, served, with the two variables set."""
    app = Application(certificates=(key_pair(),))
    people = (UserGroup(25, (E3,)),)
    faults = (
        Fault(Drop(), path="/v1.0/organization"),
        Fault(Drop(after=5), path="/v1.0/organization", first=2),
        Fault(Delay(600), path="/v1.0/directory/subscriptions"),
    )
    with Server(Scenario((tenant(applications=(app,), users=people, faults=faults),)), tmp_path) as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        yield server


def signed_in(client: httpx.Client) -> dict[str, str]:
    form = {
        "grant_type": "client_credentials",
        "client_id": CLIENT_ID,
        "client_secret": SECRET,
        "scope": SCOPE[0],
    }
    answer = client.post(f"https://login.microsoftonline.com/{TENANT_ID}/oauth2/v2.0/token", data=form)
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


@pytest.mark.usefixtures("served")
def test_the_two_variables_are_all_a_client_needs() -> None:
    with httpx.Client() as client:
        headers = signed_in(client)
        following, users = f"{GRAPH}/users?$select=id&$top=10", []
        while following:
            answer = client.get(following, headers=headers)
            assert answer.headers[SCENARIO_HEADER] == "test"
            users += answer.json()["value"]
            following = answer.json().get("@odata.nextLink", "")
    assert len({user["id"] for user in users}) == len(users) == 25


def tunnel(server: Server, host: str) -> ssl.SSLSocket:
    """A TLS connection through the proxy, opened by hand."""
    plain = socket.create_connection(("127.0.0.1", server.port), timeout=10)
    plain.sendall(f"CONNECT {host}:443 HTTP/1.1\r\nHost: {host}:443\r\n\r\n".encode())
    assert plain.recv(4096).startswith(b"HTTP/1.1 200 ")
    context = ssl.create_default_context(cafile=server.environment["SSL_CERT_FILE"])
    return context.wrap_socket(plain, server_hostname=host)


def test_one_connection_serves_many_requests(served: Server) -> None:
    with tunnel(served, "graph.microsoft.com") as secure:
        for _ in range(3):
            secure.sendall(b"GET /v1.0/users HTTP/1.1\r\nHost: graph.microsoft.com\r\n\r\n")
            answer = http.client.HTTPResponse(secure)
            answer.begin()
            assert answer.status == 401
            assert b"InvalidAuthenticationToken" in answer.read()


@pytest.mark.parametrize("host", [*sorted(HOSTS), "contoso.vault.azure.net", "contoso.vault.azure.cn"])
def test_the_certificate_covers_every_host_that_is_emulated(served: Server, host: str) -> None:
    with tunnel(served, host) as secure:
        assert secure.version() is not None


@pytest.mark.parametrize(
    "target",
    [
        "a.b.vault.azure.net:443",
        "vault.azure.net:443",
        "example.com:443",
        "localhost:443",
        "graph.microsoft.com:80",
        "graph.microsoft.com",
    ],
)
def test_a_tunnel_to_anywhere_else_is_refused(served: Server, target: str) -> None:
    with socket.create_connection(("127.0.0.1", served.port), timeout=10) as plain:
        plain.sendall(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode())
        with plain.makefile("rb") as stream:
            answer = stream.read()
    assert answer.startswith(b"HTTP/1.1 403 ")
    assert target.encode() in answer


def test_plain_http_is_refused(served: Server) -> None:
    with httpx.Client(proxy=f"http://127.0.0.1:{served.port}") as client:
        answer = client.get("http://graph.microsoft.com/v1.0/users")
    assert answer.status_code == 403
    assert "CONNECT" in answer.text


def test_the_machine_answers_on_the_port_itself_in_plain_http_and_not_through_the_proxy(served: Server) -> None:
    path = "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https://graph.microsoft.com"
    with httpx.Client(trust_env=False, headers={"Metadata": "true"}) as client:
        answer = client.get(f"{served.workload['AZURE_POD_IDENTITY_AUTHORITY_HOST']}{path}")
    assert answer.json()["error_description"] == "Identity not found"
    with httpx.Client(proxy=f"http://127.0.0.1:{served.port}", headers={"Metadata": "true"}) as client:
        assert client.get(f"http://169.254.169.254{path}").status_code == 403


def test_a_job_of_github_finds_its_variables(served: Server) -> None:
    given = served.workload
    bearer = {"Authorization": f"bearer {given['ACTIONS_ID_TOKEN_REQUEST_TOKEN']}"}
    with httpx.Client() as client:
        answer = client.get(given["ACTIONS_ID_TOKEN_REQUEST_URL"], headers=bearer)
    assert answer.json()["value"].count(".") == 2


def test_a_client_that_does_not_know_the_authority_does_not_connect(
    served: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    with (
        httpx.Client(proxy=f"http://127.0.0.1:{served.port}", verify=ssl.create_default_context()) as client,
        pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"),
    ):
        client.get(f"{GRAPH}/users")


@pytest.mark.usefixtures("served")
def test_a_dropped_connection_is_a_closed_socket() -> None:
    with httpx.Client() as client:
        headers = signed_in(client)
        for _ in range(2):
            with pytest.raises(httpx.TransportError):
                client.get(f"{GRAPH}/organization", headers=headers)
        assert client.get(f"{GRAPH}/organization", headers=headers).status_code == 200


@pytest.mark.usefixtures("served")
def test_stopping_ends_open_connections_and_slow_answers() -> None:
    """The fixture's end would hang for ten minutes otherwise."""
    with httpx.Client(timeout=0.5) as client:
        headers = signed_in(client)
        with pytest.raises(httpx.ReadTimeout):
            client.get(f"{GRAPH}/directory/subscriptions", headers=headers)


def msal_result(server: Server, credential: Any) -> dict[str, Any]:
    """What MSAL, with its own HTTP client, makes of a credential."""
    app = msal.ConfidentialClientApplication(
        CLIENT_ID,
        client_credential=credential,
        authority=f"https://login.microsoftonline.com/{TENANT_ID}",
        verify=server.environment["SSL_CERT_FILE"],
        proxies={"https": server.environment["HTTPS_PROXY"]},
    )
    try:
        result: dict[str, Any] = app.acquire_token_for_client(SCOPE)
    finally:
        app.authority._http_client.close()
    return result


def pem_pair(name: str) -> dict[str, str]:
    pair = key_pair(name)
    return {"private_key": pair.private_key_pem.decode(), "public_certificate": pair.certificate_pem.decode()}


def test_msal_signs_in_with_a_secret(served: Server) -> None:
    assert "access_token" in msal_result(served, SECRET)
    assert msal_result(served, "wrong")["error_codes"] == [7000215]


def test_msal_signs_in_with_a_certificate(served: Server) -> None:
    assert "access_token" in msal_result(served, pem_pair("registered"))
    assert msal_result(served, pem_pair("stranger"))["error_codes"] == [700027]


def test_credentials_are_written_for_their_owner_only(tmp_path: Path) -> None:
    with Server(scenarios.load("demo"), tmp_path):
        folder = tmp_path / ".emulator"
        assert folder.stat().st_mode & 0o777 == 0o700
        files = {file.name: file.stat().st_mode & 0o777 for file in folder.iterdir()}
    certificate = {"fabrikam.crt", "fabrikam.key"}
    expected = {".gitignore", "ca.pem", "contoso.secret", "contoso-lab.secret", "northwind.secret"} | certificate
    assert files == dict.fromkeys(expected, 0o600)
    assert (folder / ".gitignore").read_text() == "*\n"


def test_credentials_that_belong_elsewhere_are_not_written(tmp_path: Path) -> None:
    outside = Credentials({"CONTOSO_SECRET": lambda: b"x", "../escaped": lambda: b"x", ".emulator/own": lambda: b"x"})
    root = tmp_path / "repository"
    root.mkdir()
    with Server(Scenario(credentials=outside), root):
        assert {file.name for file in (root / ".emulator").iterdir()} == {".gitignore", "ca.pem", "own"}
        assert {file.name for file in tmp_path.iterdir()} == {"repository"}


def test_keys_are_not_written_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / ".emulator").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ConfigurationError, match="link"):
        Server(Scenario(), tmp_path)


def test_a_port_in_use_is_a_clear_error(tmp_path: Path) -> None:
    with Server(Scenario(), tmp_path) as first, pytest.raises(ConfigurationError, match=str(first.port)):
        Server(Scenario(), tmp_path, port=first.port)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_command_prints_two_lines_for_the_shell_and_stops_when_told(tmp_path: Path, number: signal.Signals) -> None:
    root = tmp_path / "a repository"
    root.mkdir()
    call = "import sys; from reconciler.cli.main import main; sys.exit(main())"
    command = [sys.executable, "-c", call, "--chdir", str(root), "emulator", "serve"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline(), process.stdout.readline()]
        process.send_signal(number)
        rest, said = process.communicate(timeout=30)
    assert re.fullmatch(r"export HTTPS_PROXY=http://127\.0\.0\.1:\d+\n", lines[0])
    assert lines[1] == f"export SSL_CERT_FILE='{root}/.emulator/ca.pem'\n"
    assert (rest, process.returncode) == ("", 0)
    assert "'demo'" in said
    assert "Ctrl-C" in said
