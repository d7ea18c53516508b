"""LINE users, their profiles, demographics and follow state."""
