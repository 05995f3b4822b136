"""VSI-Bench: its rows, its subsets, and what others scored on it."""
