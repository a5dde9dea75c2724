"""The guided tour: its panel, and the light on what is talked about."""
