"""The built-in models' networks; :mod:`.timm_registration` makes them known to timm."""
