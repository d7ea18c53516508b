"""The tap's streams, in modules by what they tell about."""
