"""Damaged files of one kind, through the reader of that kind alone."""


def test_a_damaged_file_is_read_or_refused(campaign):
    campaign("mesh", "recording", "picture", "video", "tables", "labels", "json", "csv")
