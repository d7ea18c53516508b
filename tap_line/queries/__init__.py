"""SQL queries that streams share."""
