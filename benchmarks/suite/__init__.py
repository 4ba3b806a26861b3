"""The benchmarks of speed: what is measured, beside whom, and how the figures come into the docs."""
