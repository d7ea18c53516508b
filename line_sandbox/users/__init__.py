"""People and who of them follows."""
