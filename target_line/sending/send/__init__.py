"""Send claimed requests to LINE and record the outcomes."""
