"""The parts of ``promptstore.model.templates.translate``: a shared tree, and a reader and a writer for each format."""
