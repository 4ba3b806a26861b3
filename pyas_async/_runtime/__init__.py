"""Acts: the loop that sends, the clock, the pool, and the iterators that turn the machines' handles."""
