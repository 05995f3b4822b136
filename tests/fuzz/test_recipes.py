"""Damaged recipes and presets."""


def test_a_damaged_recipe_is_read_or_refused(campaign):
    campaign("recipe")
