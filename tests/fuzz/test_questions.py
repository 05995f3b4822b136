"""Damaged question sets."""


def test_a_damaged_set_is_read_or_refused(campaign):
    campaign("questions_jsonl", "questions_json", "questions_parquet", "questions_folder")
