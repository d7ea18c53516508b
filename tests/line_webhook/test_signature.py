"""The signature check agrees with the official LINE SDK."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from linebot.v3.webhook import SignatureValidator

from line_webhook.receiving.signature import compute_signature, is_valid_signature

_secrets = st.text(min_size=1, max_size=40).filter(lambda text: text.isprintable())
_malformed_signatures = st.sampled_from(["", "d3Jvbmc=", "=", "not base64", "é"])


@given(body=st.text(), secret=_secrets)
def test_the_sdk_accepts_computed_signatures(body: str, secret: str) -> None:
    signature = compute_signature(body.encode("utf-8", "replace"), secret.encode()).decode()
    assert SignatureValidator(secret).validate(body.encode("utf-8", "replace").decode(), signature)


@given(
    body=st.text(alphabet=st.characters(codec="utf-8")),
    secret=_secrets,
    other=_secrets,
    malformed=_malformed_signatures,
)
def test_both_checks_accept_the_same_signatures(body: str, secret: str, other: str, malformed: str) -> None:
    right = compute_signature(body.encode(), secret.encode()).decode()
    foreign = compute_signature(body.encode(), other.encode()).decode()
    for signature in (right, foreign, malformed, right + "=", right[:-1], right.lower(), f" {right}"):
        expected = SignatureValidator(secret).validate(body, signature)
        assert is_valid_signature(body.encode(), signature.encode(), [secret.encode()]) == expected


def test_a_signature_with_either_secret_is_valid() -> None:
    secrets = [b"new", b"old"]
    assert is_valid_signature(b"body", compute_signature(b"body", b"new"), secrets)
    assert is_valid_signature(b"body", compute_signature(b"body", b"old"), secrets)
    assert not is_valid_signature(b"body", compute_signature(b"body", b"older"), secrets)
    assert not is_valid_signature(b"body", compute_signature(b"other body", b"new"), secrets)
