"""What people choose to get: on the pages behind their links, and by what staff write down for them."""
