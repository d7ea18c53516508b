"""LINE's API: client, tokens, rate limits, errors."""

from line_core.api.client import LineClient
from line_core.api.rate_limit.limiter import Limits, LocalLimits
from line_core.api.response import Reply
from line_core.api.tokens import TokenSource, token_source_of

__all__ = ["Limits", "LineClient", "LocalLimits", "Reply", "TokenSource", "token_source_of"]
