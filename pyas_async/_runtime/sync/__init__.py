"""Rounds over listings: what has changed since the last one."""
