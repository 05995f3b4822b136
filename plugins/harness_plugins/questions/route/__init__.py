"""Routes from object to object: where a robot can stand and go, and how it is told to."""
