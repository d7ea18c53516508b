"""Narrowcasts: messages to followers chosen by audience and demographics."""
