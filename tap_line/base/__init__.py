"""Base classes of the streams."""
