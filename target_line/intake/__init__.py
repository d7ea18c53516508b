"""Reading of Singer input: messages, record validation, stream roles, rejects."""
