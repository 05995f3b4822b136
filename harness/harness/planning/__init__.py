"""What a run would do and need, told beforehand without weights and without a GPU."""
