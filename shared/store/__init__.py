"""MongoDB, through motor, and nowhere else."""
