"""What a shift of one pixel does to a network: networks, canvases, sweeps and their measures."""
