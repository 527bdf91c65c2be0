"""git, called as a program: what a run needs to commit and push its result."""
