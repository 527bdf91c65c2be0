"""Many runners and long-running ones: shards, watch, what they say to machines."""
