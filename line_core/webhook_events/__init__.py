"""LINE's webhook events: parsing, and the state of message contents."""
