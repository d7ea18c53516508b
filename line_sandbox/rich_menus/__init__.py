"""Rich menus, their aliases, their links to users, and their statistics."""
