"""One file per channel on the contract of `base`; channels do not know each other."""
