"""The runtime: it sends requests, reads the clock, starts tasks, and does what the core decides."""
