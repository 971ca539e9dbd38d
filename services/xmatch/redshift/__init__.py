"""How far away an alert is: redshifts chosen among matches and hosts, and the distance of each."""
