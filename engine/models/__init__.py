"""The one seam to whatever writes text."""
