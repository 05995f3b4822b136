"""Aria Digital Twin: an apartment and an office of known objects, recorded through glasses."""
