"""Charts of a network swap: from what was recorded to data, from data to SVG and to text. No cluster, no clock."""
