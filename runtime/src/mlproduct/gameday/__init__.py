"""What `make drill` is made of: a service that can be harmed, a Prometheus in a hurry, callers, and the faults."""
