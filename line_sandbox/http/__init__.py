"""HTTP for the endpoints: requests, responses, routing, bodies and parameters.

Starlette's Request, Response and Route need 60 % more CPU time for a GET of a profile (143 instead of 88 microseconds,
including uvicorn), and the parsing and error messages in this package, which are LINE's, would remain.
"""
