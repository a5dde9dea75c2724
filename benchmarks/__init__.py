"""Measurements that anyone can rerun; no part of the installed package."""
