"""Channel access tokens of every type, used with LINE's official SDK."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import jwt
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import rsa
from linebot.v3.oauth.exceptions import ApiException

if TYPE_CHECKING:
    from tests.support.sandbox_clients import SandboxClient, Sdk

CHANNEL, SECRET = "1234567890", "sandbox-secret"
GRANT = "client_credentials"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@pytest.fixture(scope="module")
def private_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture
def key_id(sandbox: SandboxClient, private_key: rsa.RSAPrivateKey) -> str:
    public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(private_key.public_key()))
    registered: str = sandbox.post("assertion_keys", **public, kid="the-key")["kid"]
    return registered


def assertion(private_key: rsa.RSAPrivateKey, key_id: str, **claims: Any) -> str:
    valid = {"iss": CHANNEL, "sub": CHANNEL, "aud": "https://api.line.me/", "exp": int(time.time()) + 1200}
    return jwt.encode(valid | claims, private_key, algorithm="RS256", headers={"kid": key_id})


def is_accepted(sandbox: SandboxClient, token: str) -> bool:
    response = sandbox.request("GET", "/v2/bot/info", headers={"authorization": f"Bearer {token}"})
    assert response.status_code in (200, 401)
    return response.status_code == 200


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer wrong", "Basic sandbox-token", "sandbox-token"])
def test_requests_without_a_valid_token_get_status_401(sandbox: SandboxClient, header: str | None) -> None:
    sandbox.headers.clear()
    response = sandbox.request("GET", "/v2/bot/info", headers={"authorization": header} if header is not None else {})
    assert response.status_code == 401
    assert response.json()["message"].startswith("Authentication failed")
    assert response.headers["x-line-request-id"]


async def test_a_stateless_token_is_valid_for_15_minutes(sdk: Sdk, sandbox: SandboxClient) -> None:
    issued = await sdk.oauth.issue_stateless_channel_token_by_client_secret(client_id=CHANNEL, client_secret=SECRET)
    assert (issued.token_type, issued.expires_in) == ("Bearer", 900)
    assert is_accepted(sandbox, issued.access_token)
    sandbox.advance(899)
    assert is_accepted(sandbox, issued.access_token)
    sandbox.advance(2)
    assert not is_accepted(sandbox, issued.access_token)


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"client_secret": "wrong"}, "invalid_request"),
        ({"client_id": "1"}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"client_assertion": "x", "client_assertion_type": "y"}, "invalid_request"),
    ],
)
def test_wrong_credentials_do_not_get_a_stateless_token(
    sandbox: SandboxClient, fields: dict[str, str], error: str
) -> None:
    form = {"grant_type": GRANT, "client_id": CHANNEL, "client_secret": SECRET} | fields
    response = sandbox.request("POST", "/oauth2/v3/token", data=form)
    assert (response.status_code, response.json()["error"]) == (400, error)
    assert SECRET not in response.text


async def test_the_31st_short_lived_token_revokes_the_first(sdk: Sdk, sandbox: SandboxClient) -> None:
    async def issue() -> str:
        token: str = (await sdk.oauth.issue_channel_token(GRANT, CHANNEL, SECRET)).access_token
        return token

    tokens = [await issue() for _ in range(30)]
    assert is_accepted(sandbox, tokens[0])
    tokens.append(await issue())
    assert not is_accepted(sandbox, tokens[0])
    assert is_accepted(sandbox, tokens[1])
    verified = await sdk.oauth.verify_channel_token(tokens[1])
    assert verified.client_id == CHANNEL
    assert 0 < verified.expires_in <= 30 * 24 * 3600
    await sdk.oauth.revoke_channel_token(tokens[1])
    assert not is_accepted(sandbox, tokens[1])
    sandbox.advance(30 * 24 * 3600)
    assert not is_accepted(sandbox, tokens[2])


async def test_a_wrong_secret_does_not_get_a_short_lived_token(sdk: Sdk) -> None:
    with pytest.raises(ApiException) as error:
        await sdk.oauth.issue_channel_token(GRANT, CHANNEL, "wrong")
    assert json.loads(error.value.body) == {
        "error": "invalid_client",
        "error_description": "invalid client_secret",
    }


async def test_the_long_lived_token_does_not_expire_and_can_be_revoked(sdk: Sdk, sandbox: SandboxClient) -> None:
    sandbox.advance(50 * 365 * 24 * 3600)
    assert is_accepted(sandbox, "sandbox-token")
    assert (await sdk.oauth.verify_channel_token("sandbox-token")).expires_in > 10**9
    await sdk.oauth.revoke_channel_token("sandbox-token")
    assert not is_accepted(sandbox, "sandbox-token")


async def test_a_v21_token_has_the_lifetime_in_the_assertion(
    sdk: Sdk, sandbox: SandboxClient, private_key: rsa.RSAPrivateKey, key_id: str
) -> None:
    signed = assertion(private_key, key_id, token_exp=3600)
    issued = await sdk.oauth.issue_channel_token_by_jwt(GRANT, ASSERTION_TYPE, signed)
    assert (issued.token_type, issued.expires_in) == ("Bearer", 3600)
    assert (await sdk.oauth.gets_all_valid_channel_access_token_key_ids(ASSERTION_TYPE, signed)).kids == [issued.key_id]
    assert (await sdk.oauth.verify_channel_token_by_jwt(issued.access_token)).expires_in <= 3600
    assert is_accepted(sandbox, issued.access_token)
    sandbox.advance(3600)
    assert not is_accepted(sandbox, issued.access_token)
    with pytest.raises(ApiException) as error:
        await sdk.oauth.verify_channel_token_by_jwt(issued.access_token)
    assert json.loads(error.value.body)["error_description"] == "The access token expired"


async def test_a_v21_token_can_be_revoked(
    sdk: Sdk, sandbox: SandboxClient, private_key: rsa.RSAPrivateKey, key_id: str
) -> None:
    signed = assertion(private_key, key_id, token_exp=3600)
    issued = await sdk.oauth.issue_channel_token_by_jwt(GRANT, ASSERTION_TYPE, signed)
    await sdk.oauth.revoke_channel_token_by_jwt(CHANNEL, SECRET, issued.access_token)
    assert not is_accepted(sandbox, issued.access_token)
    assert (await sdk.oauth.gets_all_valid_channel_access_token_key_ids(ASSERTION_TYPE, signed)).kids == []


async def test_an_assertion_can_get_a_stateless_token(
    sdk: Sdk, sandbox: SandboxClient, private_key: rsa.RSAPrivateKey, key_id: str
) -> None:
    issued = await sdk.oauth.issue_stateless_channel_token_by_jwt_assertion(
        client_assertion=assertion(private_key, key_id)
    )
    assert issued.expires_in == 900
    assert is_accepted(sandbox, issued.access_token)


def test_the_31st_v21_token_is_rejected(sandbox: SandboxClient, private_key: rsa.RSAPrivateKey, key_id: str) -> None:
    form = {"grant_type": GRANT, "client_assertion_type": ASSERTION_TYPE}
    form["client_assertion"] = assertion(private_key, key_id)
    responses = [sandbox.request("POST", "/oauth2/v2.1/token", data=form) for _ in range(31)]
    assert [response.status_code for response in responses] == [200] * 30 + [400]
    assert responses[-1].json() == {"message": "The maximum number of access tokens has already been issued"}


@pytest.mark.parametrize(
    ("claims", "description"),
    [
        ({"iss": "1"}, "iss and clientId of key do not match"),
        ({"sub": "1"}, "iss and clientId of key do not match"),
        ({"aud": "https://example.com/"}, "Invalid aud"),
        ({"exp": 1}, "Invalid exp"),
        ({"exp": int(time.time()) + 7200}, "Invalid exp"),
        ({"exp": None}, "Invalid exp"),
        ({"token_exp": 31 * 24 * 3600}, "Invalid token_exp"),
    ],
)
def test_an_assertion_with_an_invalid_claim_is_rejected(
    sandbox: SandboxClient, private_key: rsa.RSAPrivateKey, key_id: str, claims: dict[str, Any], description: str
) -> None:
    form = {"grant_type": GRANT, "client_assertion_type": ASSERTION_TYPE}
    form["client_assertion"] = assertion(private_key, key_id, **claims)
    if claims == {"exp": None}:
        without_expiry = {"iss": CHANNEL, "sub": CHANNEL, "aud": "https://api.line.me/"}
        form["client_assertion"] = jwt.encode(without_expiry, private_key, algorithm="RS256", headers={"kid": key_id})
    response = sandbox.request("POST", "/oauth2/v2.1/token", data=form)
    assert response.status_code == 400
    assert response.json() == {"error": "invalid_client", "error_description": description}


def test_an_assertion_must_be_signed_with_a_registered_key(
    sandbox: SandboxClient, private_key: rsa.RSAPrivateKey, key_id: str
) -> None:
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form = {"grant_type": GRANT, "client_assertion_type": ASSERTION_TYPE}
    forged = sandbox.request("POST", "/oauth2/v2.1/token", data=form | {"client_assertion": assertion(other, key_id)})
    assert (forged.status_code, forged.json()["error"]) == (400, "invalid_client")
    unknown = sandbox.request(
        "POST", "/oauth2/v2.1/token", data=form | {"client_assertion": assertion(private_key, "another")}
    )
    assert (unknown.status_code, unknown.json()) == (
        404,
        {"message": "Cannot find channel key that satisfies the conditions"},
    )
    wrong_algorithm = jwt.encode({"iss": CHANNEL}, "x" * 32, algorithm="HS256", headers={"kid": key_id})
    for text in (wrong_algorithm, "nonsense", ""):
        response = sandbox.request("POST", "/oauth2/v2.1/token", data=form | {"client_assertion": text})
        assert response.status_code == 400


def test_a_private_key_is_rejected(sandbox: SandboxClient, private_key: rsa.RSAPrivateKey) -> None:
    private = jwt.algorithms.RSAAlgorithm.to_jwk(private_key, as_dict=True)
    response = requests.post(sandbox.url + "/sandbox/assertion_keys", json=private, timeout=10)
    assert response.status_code == 400
    assert private["d"] not in response.text
