"""Key pairs and certificates on this machine: made, written, described. Nothing here talks to anybody."""
