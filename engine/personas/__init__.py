"""Personas: documents on disk, tiers, traits to policy, gate, lifecycle."""
