"""Documents in, passages with exact positions out: parsing, text analysis, the store, indexing."""
