"""HTTP for the endpoints: requests, responses, routing, and the reading of bodies and parameters."""
