"""Every night, for every facility, a ranked list of the spectra that would teach most."""
