"""Ours against its peers, alternating in one run, as ratios of medians."""
