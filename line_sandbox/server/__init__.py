"""The HTTP server: ASGI application, faults, rate limits, access log."""
