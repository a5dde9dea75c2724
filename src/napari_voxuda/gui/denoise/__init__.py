"""The dock *Denoise (IBF)*."""
