"""Likeness by meaning: vectors of passages and questions, made by a server's model or a small one here."""
