"""The commands of `target-line-admin`, one module per subject."""
