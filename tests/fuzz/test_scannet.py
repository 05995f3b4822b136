"""Damaged releases of ScanNet."""


def test_a_damaged_release_is_read_or_refused(campaign):
    campaign("scannet")
