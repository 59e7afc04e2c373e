"""The gRPC server: servicers at the edge, the progress hub, and the loop that hands jobs to the broker."""
