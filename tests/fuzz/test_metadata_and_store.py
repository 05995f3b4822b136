"""Damaged metadata of VSI-Bench, and damaged stores."""


def test_damaged_scenes_are_read_or_refused(campaign):
    campaign("vsi_bench_meta", "store")
