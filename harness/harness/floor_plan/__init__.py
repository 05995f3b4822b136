"""A scene seen from above, with key frames: for looking at data."""
