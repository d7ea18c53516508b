"""What every subject uses: clock, seeded random numbers, ids, paging, API errors."""
