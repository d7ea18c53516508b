"""Identity evidence: parsing of records, storage of evidence and merges."""
