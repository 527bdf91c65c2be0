"""The emulated machine in Azure gives tokens to its identities, and only as the real one does."""

from __future__ import annotations

from typing import Any, Literal

import httpx
import jwt
import pytest

from reconciler.emulator.imds import IMDS_HOST, TOKEN_PATH
from reconciler.emulator.scenario import Application
from reconciler.graph.clouds import ENDPOINTS
from reconciler.model import Cloud
from tests.emulator.builders import NOW, World, scenario, tenant

OWN = "6b0a0f0e-3c6e-4d57-8a43-2f1f7f5c0d11"
ASSIGNED = "7d1a7c11-6a0f-4c7e-8f63-8c2b1f0f5a77"
SECOND = "8e1a7c11-6a0f-4c7e-8f63-8c2b1f0f5a77"
GRAPH = "https://graph.microsoft.com"


def machine(*identities: tuple[str, Literal["system", "user"]], cloud: Cloud = Cloud.GLOBAL, **members: Any) -> World:
    apps = tuple(Application(client_id, secrets=(), managed=kind, **members) for client_id, kind in identities)
    return World(scenario(tenant(applications=(Application(), *apps), cloud=cloud)))


def ask(emulated: World, headers: dict[str, str] | None = None, **given: str | None) -> httpx.Response:
    query: dict[str, str | None] = {"api-version": "2018-02-01", "resource": GRAPH, **given}
    return emulated.http.get(
        f"http://{IMDS_HOST}{TOKEN_PATH}",
        params={name: value for name, value in query.items() if value is not None},
        headers={"Metadata": "true"} if headers is None else headers,
    )


BOTH = ((OWN, "system"), (ASSIGNED, "user"))


def test_the_machines_own_identity_reads_with_its_roles() -> None:
    emulated = machine((OWN, "system"))
    answer = ask(emulated).json()
    claims = jwt.decode(answer["access_token"], options={"verify_signature": False})
    assert (claims["appid"], claims["aud"]) == (OWN, GRAPH)
    assert answer["client_id"] == OWN
    assert answer["token_type"] == "Bearer"
    assert answer["expires_in"] == "3599"
    assert answer["expires_on"] == str(int(NOW) + 3599)
    assert emulated.get("organization", bearer=answer["access_token"]).status_code == 200


def test_an_identity_without_roles_gets_a_token_that_graph_refuses() -> None:
    emulated = machine((OWN, "system"), roles=())
    assert emulated.get("organization", bearer=ask(emulated).json()["access_token"]).status_code == 403


@pytest.mark.parametrize(
    ("identities", "named", "expected"),
    [
        (BOTH, None, OWN),
        (BOTH, ASSIGNED, ASSIGNED),
        (BOTH, ASSIGNED.upper(), ASSIGNED),
        (((ASSIGNED, "user"),), None, ASSIGNED),
    ],
)
def test_an_identity_is_found_by_its_client_id_or_by_being_the_only_one(
    identities: Any, named: str | None, expected: str
) -> None:
    assert ask(machine(*identities), client_id=named).json()["client_id"] == expected


@pytest.mark.parametrize("cloud", Cloud)
def test_the_resource_is_graph_of_the_tenants_cloud(cloud: Cloud) -> None:
    emulated = machine((OWN, "system"), cloud=cloud)
    resource = f"https://{ENDPOINTS[cloud].graph_host}"
    assert ask(emulated, resource=resource).status_code == 200
    answer = ask(emulated, resource=f"{resource}/.default")
    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_resource"
    assert "AADSTS500011" in answer.json()["error_description"]


@pytest.mark.parametrize(
    ("identities", "headers", "given", "description"),
    [
        (BOTH, {}, {}, "Required metadata header not specified"),
        (BOTH, {"Metadata": "false"}, {}, "Required metadata header not specified"),
        (BOTH, None, {"resource": None}, "Required query variable 'resource' is missing"),
        (BOTH, None, {"api-version": None}, "Required query variable 'api-version' is missing"),
        (BOTH, None, {"client_id": SECOND}, "Identity not found"),
        ((), None, {}, "Identity not found"),
        (((ASSIGNED, "user"), (SECOND, "user")), None, {}, "Multiple user assigned identities exist"),
    ],
)
def test_what_the_machine_does_not_answer(
    identities: Any, headers: dict[str, str] | None, given: dict[str, str | None], description: str
) -> None:
    answer = ask(machine(*identities), headers, **given)
    assert answer.status_code == 400
    assert answer.json()["error_description"].startswith(description)


def test_an_ordinary_app_is_no_identity_of_the_machine() -> None:
    assert ask(machine((OWN, "system")), client_id=Application().client_id).status_code == 400


def test_another_path_is_not_there() -> None:
    assert machine().http.get(f"http://{IMDS_HOST}/metadata/instance").status_code == 404
