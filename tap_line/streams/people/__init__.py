"""Streams about people: followers, friendships, profiles, groups, memberships."""
