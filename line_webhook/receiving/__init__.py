"""HTTP: read a webhook request within limits, check its signature and respond."""
