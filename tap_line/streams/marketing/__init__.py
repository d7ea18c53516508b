"""Streams about marketing objects: rich menus, audiences, coupons."""
