"""Known solar-system bodies: those the survey names, and those an orbit file puts there."""
