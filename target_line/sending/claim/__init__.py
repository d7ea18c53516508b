"""Group messages into requests and store the requests, with their retry keys, before they are sent."""
