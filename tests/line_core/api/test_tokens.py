"""Channel access tokens: configured, or issued and renewed."""

from __future__ import annotations

import json
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import jwt
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import rsa

from line_core.api.assertion_token import AssertionToken
from line_core.api.credentials import token_source_from_config
from line_core.api.errors import AuthenticationError, UnreachableError
from line_core.api.tokens import StatelessToken, StaticToken
from line_core.errors import SettingError

if TYPE_CHECKING:
    from collections.abc import Callable

CHANNEL = "1234567890"
SECRET = "sandbox-secret"


def issued_tokens(sandbox_url: str) -> int:
    requests_seen = requests.get(f"{sandbox_url}/sandbox/summary", timeout=10).json()["requests"]
    return sum(requests_seen.get("POST /oauth2/v3/token", {}).values())


@pytest.fixture(scope="module")
def assertion_key() -> dict[str, Any]:
    """A private key in the format of the LINE Developers Console."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return {**json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key)), "kid": "key-1", "alg": "RS256", "use": "sig"}


def test_a_stateless_token_is_accepted_and_reused_until_it_expires(sandbox_url: str) -> None:
    source = StatelessToken(sandbox_url, CHANNEL, SECRET)
    assert source.cached() is None
    token = source.token()
    assert source.cached() == source.token() == token
    response = requests.get(f"{sandbox_url}/v2/bot/info", headers={"Authorization": f"Bearer {token}"}, timeout=10)
    assert response.status_code == 200
    assert issued_tokens(sandbox_url) == 1


def test_a_token_is_renewed_a_minute_before_it_expires(sandbox_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    source = StatelessToken(sandbox_url, CHANNEL, SECRET)
    first = source.token()
    now += 830
    assert source.token() == first
    now += 15
    assert source.cached() is None
    assert source.token() != first


def test_concurrent_threads_share_one_token(sandbox_url: str) -> None:
    source = StatelessToken(sandbox_url, CHANNEL, SECRET)
    tokens: list[str] = []
    threads = [threading.Thread(target=lambda: tokens.append(source.token())) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(tokens) == 20
    assert len(set(tokens)) == 1
    assert issued_tokens(sandbox_url) == 1


def test_discarding_a_refused_token_keeps_the_token_that_replaced_it(sandbox_url: str) -> None:
    source = StatelessToken(sandbox_url, CHANNEL, SECRET)
    first = source.token()
    assert source.discard(first)
    second = source.token()
    assert second != first
    assert source.discard(first)
    assert source.cached() == second


def test_the_error_about_wrong_credentials_names_the_setting_and_not_the_secret(sandbox_url: str) -> None:
    with pytest.raises(AuthenticationError) as raised:
        StatelessToken(sandbox_url, CHANNEL, "no-such-secret").token()
    assert raised.value.setting == "channel_secret"
    assert "no-such-secret" not in str(raised.value)


@pytest.mark.usefixtures("short_pauses")
def test_issuing_is_retried(sandbox_url: str, add_fault: Callable[..., None]) -> None:
    add_fault("status", "/oauth2/v3/token", method="POST", status=500, count=2)
    assert StatelessToken(sandbox_url, CHANNEL, SECRET).token()


@pytest.mark.usefixtures("short_pauses")
def test_the_error_about_an_unreachable_api_names_api_url() -> None:
    with pytest.raises(UnreachableError, match=r"Connection refused.*setting: api_url"):
        StatelessToken("http://127.0.0.1:1", CHANNEL, SECRET).token()


def test_the_assertion_has_the_documented_claims(assertion_key: dict[str, Any]) -> None:
    form = AssertionToken("http://127.0.0.1:1", CHANNEL, json.dumps(assertion_key)).form()
    assert form["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    assertion = str(form["client_assertion"])
    assert jwt.get_unverified_header(assertion) == {"alg": "RS256", "typ": "JWT", "kid": "key-1"}
    claims = jwt.decode(
        assertion, jwt.PyJWK(assertion_key).key.public_key(), algorithms=["RS256"], audience="https://api.line.me/"
    )
    assert claims["iss"] == claims["sub"] == CHANNEL
    assert 0 < claims["token_exp"] <= 30 * 24 * 3600


def test_a_token_v2_1_for_a_registered_key_is_accepted(sandbox_url: str, assertion_key: dict[str, Any]) -> None:
    public = {name: value for name, value in assertion_key.items() if name in {"kty", "n", "e", "alg", "use"}}
    registered = requests.post(f"{sandbox_url}/sandbox/assertion_keys", json=public, timeout=10)
    key = {**assertion_key, "kid": registered.json()["kid"]}
    source = AssertionToken(sandbox_url, CHANNEL, json.dumps(key))
    headers = {"Authorization": f"Bearer {source.token()}"}
    assert requests.get(f"{sandbox_url}/v2/bot/info", headers=headers, timeout=10).status_code == 200
    assert 60 < (source._issued.renew_at - time.monotonic() if source._issued else 0) <= 30 * 60


def test_the_error_about_an_unknown_key_names_the_setting(sandbox_url: str, assertion_key: dict[str, Any]) -> None:
    with pytest.raises(AuthenticationError, match=r"POST /oauth2/v2.1/token.*setting: assertion_key"):
        AssertionToken(sandbox_url, CHANNEL, json.dumps(assertion_key)).token()


@pytest.mark.parametrize("invalid", ["", "not json", "[]", "{}", '{"kty": "RSA"}', '"text"'])
def test_the_error_about_an_invalid_key_names_the_setting_and_not_the_key(invalid: str) -> None:
    with pytest.raises(SettingError, match=r"setting: assertion_key") as raised:
        AssertionToken("http://127.0.0.1:1", CHANNEL, invalid)
    assert not invalid or invalid not in str(raised.value)


def test_a_public_key_is_refused(assertion_key: dict[str, Any]) -> None:
    public = {name: assertion_key[name] for name in ("kty", "n", "e", "kid")}
    with pytest.raises(SettingError, match="private"):
        AssertionToken("http://127.0.0.1:1", CHANNEL, json.dumps(public))


def test_the_error_about_an_assertion_key_without_pyjwt_names_the_extra(
    monkeypatch: pytest.MonkeyPatch, assertion_key: dict[str, Any]
) -> None:
    monkeypatch.setitem(sys.modules, "jwt", None)
    with pytest.raises(SettingError, match=r"singer-line\[jwt\].*setting: assertion_key"):
        AssertionToken("http://127.0.0.1:1", CHANNEL, json.dumps(assertion_key))


@pytest.mark.parametrize(
    ("config", "source"),
    [
        ({"channel_access_token": " token\n"}, StaticToken),
        ({"channel_access_token": "token", "channel_id": "1", "channel_secret": "s"}, StaticToken),
        ({"channel_id": "1", "channel_secret": "s"}, StatelessToken),
    ],
)
def test_the_settings_determine_the_token_source(config: dict[str, str], source: type) -> None:
    created = token_source_from_config({"api_url": "http://127.0.0.1:1", **config})
    assert type(created) is source
    assert not isinstance(created, StaticToken) or created.token() == "token"


def test_an_assertion_key_takes_precedence_over_a_secret(assertion_key: dict[str, Any]) -> None:
    config = {"channel_id": "1", "channel_secret": "s", "assertion_key": json.dumps(assertion_key)}
    assert type(token_source_from_config({"api_url": "http://127.0.0.1:1", **config})) is AssertionToken


@pytest.mark.parametrize(
    ("config", "setting"),
    [
        ({}, "channel_access_token"),
        ({"channel_id": "1"}, "channel_access_token"),
        ({"channel_secret": "s"}, "channel_id"),
        ({"channel_access_token": "two words"}, "channel_access_token"),
        ({"channel_access_token": "nämlich"}, "channel_access_token"),
    ],
)
def test_the_error_about_incomplete_credentials_names_the_missing_setting(config: dict[str, str], setting: str) -> None:
    with pytest.raises(SettingError, match=f"setting: {setting}"):
        token_source_from_config({"api_url": "http://127.0.0.1:1", **config})
