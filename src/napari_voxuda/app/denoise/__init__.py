"""Denoise a volume: the task, its preview, and the dock *Denoise (IBF)*."""
