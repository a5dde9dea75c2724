"""Corrections guided by uncertainty against corrections at random places."""
