"""Asking a model the questions of a task, and scoring the answers."""
