"""LINE notification messages: messages to phone numbers, for accounts with a contract."""
