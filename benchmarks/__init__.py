"""What is measured, against whom, and the figure to reach: `python -m benchmarks` runs every line.

A line is one file in `benchmarks/lines` with a `LINE`. Its measurements run in processes of their own.
"""
