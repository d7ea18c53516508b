"""What depends on the Singer SDK: plugin base, shared settings."""
