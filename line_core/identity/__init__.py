"""Who is who: the words, the rules and the stored form of identity, pure."""
