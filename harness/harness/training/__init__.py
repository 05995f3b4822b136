"""SFT, DPO and GRPO on video through TRL: one file an algorithm, `shared.py` the plumbing."""
