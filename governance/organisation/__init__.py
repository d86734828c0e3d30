"""组织: districts, subdistricts, communities, sectors, grids, buildings, estates and departments."""
