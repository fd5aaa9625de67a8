"""What an expert reads, claims and says."""
