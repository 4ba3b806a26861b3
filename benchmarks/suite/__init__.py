"""The benchmarks of speed: the measurements, the peers, and the way of the figures into the docs."""
