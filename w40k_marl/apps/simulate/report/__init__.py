"""Reports of a load simulation: as JSON, as text, as a page, and the difference of two."""
