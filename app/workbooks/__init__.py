"""One Excel import or export a file."""
