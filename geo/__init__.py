"""WHERE: points, mesh cells, geofences, areas, sites and the nearest of them."""
