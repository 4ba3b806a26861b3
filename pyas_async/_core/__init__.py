"""Decisions: what a call and its answer mean, what to do next. Pure: time, chance and bytes come in as arguments."""
