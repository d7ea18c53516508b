"""Tokens: given, or issued and renewed."""

from __future__ import annotations

import json
import threading
import time
from typing import TYPE_CHECKING, Any

import jwt
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import rsa

from line_core.api.errors import AuthenticationError, UnreachableError
from line_core.api.tokens import AssertionToken, StatelessToken, StaticToken, token_source_from_config
from line_core.errors import SettingError

if TYPE_CHECKING:
    from collections.abc import Callable

CHANNEL = "1234567890"
SECRET = "sandbox-secret"


def issued(sandbox_url: str) -> int:
    seen = requests.get(f"{sandbox_url}/sandbox/summary", timeout=10).json()["requests"]
    return sum(seen.get("POST /oauth2/v3/token", {}).values())


@pytest.fixture(scope="module")
def assertion_key() -> dict[str, Any]:
    """A private key as the console gives it."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return {**json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key)), "kid": "key-1", "alg": "RS256", "use": "sig"}


def test_a_stateless_token_opens_the_api_and_is_kept_while_it_lives(sandbox_url: str) -> None:
    source = StatelessToken(sandbox_url, CHANNEL, SECRET)
    assert source.cached() is None
    token = source.token()
    assert source.cached() == source.token() == token
    answer = requests.get(f"{sandbox_url}/v2/bot/info", headers={"Authorization": f"Bearer {token}"}, timeout=10)
    assert answer.status_code == 200
    assert issued(sandbox_url) == 1


def test_it_is_renewed_a_minute_before_its_end(sandbox_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    source = StatelessToken(sandbox_url, CHANNEL, SECRET)
    first = source.token()
    now += 830
    assert source.token() == first
    now += 15
    assert source.cached() is None
    assert source.token() != first


def test_many_threads_that_need_a_token_share_one(sandbox_url: str) -> None:
    source = StatelessToken(sandbox_url, CHANNEL, SECRET)
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(source.token())) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 20
    assert len(set(found)) == 1
    assert issued(sandbox_url) == 1


def test_a_refused_token_is_forgotten_but_not_the_one_that_replaced_it(sandbox_url: str) -> None:
    source = StatelessToken(sandbox_url, CHANNEL, SECRET)
    first = source.token()
    assert source.discard(first)
    second = source.token()
    assert second != first
    assert source.discard(first)
    assert source.cached() == second


def test_wrong_credentials_are_one_error_that_names_the_setting_and_hides_the_secret(sandbox_url: str) -> None:
    with pytest.raises(AuthenticationError) as raised:
        StatelessToken(sandbox_url, CHANNEL, "no-such-secret").token()
    assert raised.value.setting == "channel_secret"
    assert "no-such-secret" not in str(raised.value)


@pytest.mark.usefixtures("short_pauses")
def test_issuing_is_tried_again(sandbox_url: str, add_fault: Callable[..., None]) -> None:
    add_fault("status", "/oauth2/v3/token", method="POST", status=500, count=2)
    assert StatelessToken(sandbox_url, CHANNEL, SECRET).token()


@pytest.mark.usefixtures("short_pauses")
def test_an_unreachable_api_is_an_error_that_names_its_url_s_setting() -> None:
    with pytest.raises(UnreachableError, match=r"Connection refused.*setting: api_url"):
        StatelessToken("http://127.0.0.1:1", CHANNEL, SECRET).token()


def test_the_assertion_is_what_line_documents(assertion_key: dict[str, Any]) -> None:
    form = AssertionToken("http://127.0.0.1:1", CHANNEL, json.dumps(assertion_key)).form()
    assert form["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    assertion = str(form["client_assertion"])
    assert jwt.get_unverified_header(assertion) == {"alg": "RS256", "typ": "JWT", "kid": "key-1"}
    claims = jwt.decode(
        assertion, jwt.PyJWK(assertion_key).key.public_key(), algorithms=["RS256"], audience="https://api.line.me/"
    )
    assert claims["iss"] == claims["sub"] == CHANNEL
    assert 0 < claims["token_exp"] <= 30 * 24 * 3600


def test_a_token_v2_1_from_a_registered_key_opens_the_api(sandbox_url: str, assertion_key: dict[str, Any]) -> None:
    public = {name: value for name, value in assertion_key.items() if name in {"kty", "n", "e", "alg", "use"}}
    registered = requests.post(f"{sandbox_url}/sandbox/assertion_keys", json=public, timeout=10)
    key = {**assertion_key, "kid": registered.json()["kid"]}
    source = AssertionToken(sandbox_url, CHANNEL, json.dumps(key))
    headers = {"Authorization": f"Bearer {source.token()}"}
    assert requests.get(f"{sandbox_url}/v2/bot/info", headers=headers, timeout=10).status_code == 200
    assert 60 < (source._issued.renew_at - time.monotonic() if source._issued else 0) <= 30 * 60


def test_an_unknown_key_is_one_error_that_names_the_setting(sandbox_url: str, assertion_key: dict[str, Any]) -> None:
    with pytest.raises(AuthenticationError, match=r"POST /oauth2/v2.1/token.*setting: assertion_key"):
        AssertionToken(sandbox_url, CHANNEL, json.dumps(assertion_key)).token()


@pytest.mark.parametrize("broken", ["", "not json", "[]", "{}", '{"kty": "RSA"}', '"text"'])
def test_an_unusable_key_names_its_setting_and_is_not_repeated(broken: str) -> None:
    with pytest.raises(SettingError, match=r"setting: assertion_key") as raised:
        AssertionToken("http://127.0.0.1:1", CHANNEL, broken)
    assert not broken or broken not in str(raised.value)


def test_a_public_key_does_not_do(assertion_key: dict[str, Any]) -> None:
    public = {name: assertion_key[name] for name in ("kty", "n", "e", "kid")}
    with pytest.raises(SettingError, match="private"):
        AssertionToken("http://127.0.0.1:1", CHANNEL, json.dumps(public))


@pytest.mark.parametrize(
    ("config", "source"),
    [
        ({"channel_access_token": " token\n"}, StaticToken),
        ({"channel_access_token": "token", "channel_id": "1", "channel_secret": "s"}, StaticToken),
        ({"channel_id": "1", "channel_secret": "s"}, StatelessToken),
    ],
)
def test_settings_choose_the_source(config: dict[str, str], source: type) -> None:
    found = token_source_from_config({"api_url": "http://127.0.0.1:1", **config})
    assert type(found) is source
    assert not isinstance(found, StaticToken) or found.token() == "token"


def test_a_key_goes_before_a_secret(assertion_key: dict[str, Any]) -> None:
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
def test_settings_that_are_not_enough_say_which_is_missing(config: dict[str, str], setting: str) -> None:
    with pytest.raises(SettingError, match=f"setting: {setting}"):
        token_source_from_config({"api_url": "http://127.0.0.1:1", **config})
