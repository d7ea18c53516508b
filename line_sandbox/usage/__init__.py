"""Monthly message quota, delivery counts per day, and aggregation units."""
