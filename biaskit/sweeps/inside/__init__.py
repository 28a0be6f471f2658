"""What happens inside networks under shift: sums of maps, their energies, pictures of maps."""
