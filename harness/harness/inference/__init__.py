"""Engines that answer prompts: one file an engine. Imports torch."""
