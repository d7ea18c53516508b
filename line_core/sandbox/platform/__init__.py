"""What a LINE platform knows and decides, as plain Python with a clock: nothing here knows of HTTP."""
