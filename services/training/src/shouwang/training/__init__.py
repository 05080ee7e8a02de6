"""Training: people and their certificates, rosters and who is on duty, guards shared, member units linked."""

SERVICE = "training"
