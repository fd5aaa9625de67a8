"""How a persona walks the graph."""
