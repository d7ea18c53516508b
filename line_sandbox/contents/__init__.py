"""Contents of messages that people sent."""
