"""Simulated labelled subtomograms: one physical step a file."""
