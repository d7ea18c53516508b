"""Rich menus, their aliases, links and statistics."""
