"""Identity resolution as pure code: data model, merge rules, and the stored form of evidence."""
