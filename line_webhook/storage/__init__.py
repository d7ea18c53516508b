"""Write accepted requests to the store with group commit, in one thread."""
