"""``reconcile init``: which files a repository of portals gets, and which of them the tool keeps up to date."""
