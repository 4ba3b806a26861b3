"""Decides what has changed in a listing since it was read before."""
