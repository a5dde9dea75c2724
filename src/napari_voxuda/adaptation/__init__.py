"""Adaptation of a network to a target without labels: settings, step, loop, run folder."""
