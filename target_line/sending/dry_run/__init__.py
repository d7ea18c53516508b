"""Plan or validate the due messages without sending them."""
