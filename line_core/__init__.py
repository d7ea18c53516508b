"""What the tap and the target stand on: LINE's API, the store and a local LINE platform."""
