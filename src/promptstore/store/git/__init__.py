"""Git by its plumbing: long-lived ``cat-file`` for reads, ``fast-import`` for objects, ``update-ref`` for refs."""
