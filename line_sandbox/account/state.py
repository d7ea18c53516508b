"""The LINE Official Account of the channel, and the accounts of a module channel."""

from __future__ import annotations

from dataclasses import dataclass

from line_sandbox.foundation.numbered_ids import NumberedIds

_ACCOUNT_NUMBER = 2**63
_FIRST_MODULE_BOT_NUMBER = 2**62


@dataclass(frozen=True, slots=True)
class Account:
    """A LINE Official Account."""

    user_id: str
    """The bot's user id; webhooks contain it as `destination`."""
    basic_id: str
    display_name: str
    picture_url: str
    verified: bool
    """Whether LINE has verified the account. Only verified accounts may list their followers."""


def create_account(seed: int, *, verified: bool) -> Account:
    """Return the account of the channel; a different seed gives a different account."""
    return _account(NumberedIds(seed, "U").id_of(_ACCOUNT_NUMBER), "Sandbox Shop", verified=verified)


def create_module_bots(seed: int, count: int) -> list[Account]:
    """Return `count` accounts that the channel is attached to as a module channel."""
    ids = NumberedIds(seed, "U")
    return [
        _account(ids.id_of(_FIRST_MODULE_BOT_NUMBER + number), f"Sandbox Shop {number + 1}", verified=True)
        for number in range(count)
    ]


def _account(user_id: str, name: str, *, verified: bool) -> Account:
    return Account(user_id, f"@{user_id[1:4]}{user_id[4:9]}", name, "https://profile.example/bot.jpg", verified)
