"""Everything that depends on internals of the Singer SDK, and the settings that tap and target share."""
