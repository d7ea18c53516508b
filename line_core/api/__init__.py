"""LINE's API: client, tokens, rate limits, errors."""

from line_core.api.client import LineClient
from line_core.api.credentials import token_source_from_config
from line_core.api.rate_limit.limiter import RateLimiter
from line_core.api.response import Response
from line_core.api.tokens import TokenSource

__all__ = ["LineClient", "RateLimiter", "Response", "TokenSource", "token_source_from_config"]
