"""ScanNet++: laser scans with instances, and iPhone videos of the same rooms."""
