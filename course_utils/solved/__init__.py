"""The finished jobs of each lab, for the labs after it; generated."""
