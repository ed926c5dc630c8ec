"""What imports and exports are: values and rules."""
