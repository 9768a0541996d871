"""What a lost reply costs: one loopback service that charges, breaks, and counts, and those who submit to it."""
