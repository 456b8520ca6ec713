"""Several clones of one store: who may write to a remote now, and what they tell each other through the git remote."""
