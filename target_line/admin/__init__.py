"""The command `target-line-admin`: look into the store, and mend it."""
