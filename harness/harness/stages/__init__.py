"""The stages of a run, one file each: questions, train, evaluate, report."""
