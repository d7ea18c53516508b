"""The parts of the platform that generated events refer to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from line_sandbox.account.state import Account
    from line_sandbox.chats.read_tokens import ReadTokens
    from line_sandbox.chats.state import Chats
    from line_sandbox.contents.state import Contents
    from line_sandbox.users.state import Users


@dataclass(frozen=True, slots=True)
class Environment:
    """Users, chats, contents, tokens and the account."""

    users: Users
    chats: Chats
    contents: Contents
    read_tokens: ReadTokens
    account: Account
