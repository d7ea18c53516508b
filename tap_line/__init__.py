"""Singer tap for LINE: reads LINE's Messaging API and the store."""
