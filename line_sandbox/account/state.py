"""The account behind the channel: the bot."""

from __future__ import annotations

from dataclasses import dataclass

from line_sandbox.foundation.numbered_ids import NumberedIds


@dataclass(frozen=True, slots=True)
class Account:
    """A LINE Official Account."""

    user_id: str
    """The bot's own id, which webhooks name as their destination."""
    basic_id: str
    display_name: str
    picture_url: str
    verified: bool


def account_of(seed: int, *, verified: bool) -> Account:
    """The account of a seed.

    Args:
        seed: Other seeds give other accounts.
        verified: Whether LINE has verified it: others may not list their followers.
    """
    user_id = NumberedIds(seed, "U").id_of(2**63)
    return _account(user_id, "Sandbox Shop", verified=verified)


def branches_of(seed: int, count: int) -> list[Account]:
    """The accounts of a seed that the channel, as a module channel, is attached to."""
    ids = NumberedIds(seed, "U")
    return [_account(ids.id_of(2**62 + number), f"Sandbox Shop {number + 1}", verified=True) for number in range(count)]


def _account(user_id: str, name: str, *, verified: bool) -> Account:
    return Account(user_id, f"@{user_id[1:4]}{user_id[4:9]}", name, "https://profile.example/bot.jpg", verified)
