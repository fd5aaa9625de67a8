"""Recorded runs: journal, replay, comparison, export, import and the library that holds them."""
