"""Sending: deliveries, quota, retry keys, narrowcasts."""
