"""Scenes written in the layout of a raw ScanNet release.

With it, everything that reads a raw release runs and is tested without any download.
"""
