"""Damaged sequences of Aria Digital Twin."""


def test_a_damaged_sequence_is_read_or_refused(campaign):
    campaign("aria_digital_twin")
