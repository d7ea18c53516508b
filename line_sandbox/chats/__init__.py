"""Groups, rooms and conversations."""
