"""Groups and rooms, and what a bot can do in chats besides sending messages."""
