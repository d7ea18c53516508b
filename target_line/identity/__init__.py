"""Who is who: evidence, merge rules, and their store."""
