"""The query-scoped knowledge graph, grown on demand from the corpus."""
