"""The core: what a response means, and what to do next. It is pure: time, random numbers and bytes are arguments."""
