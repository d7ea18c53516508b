"""The command line program `target-line-admin`."""
