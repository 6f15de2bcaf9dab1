"""What an attacker tries, by threat."""
