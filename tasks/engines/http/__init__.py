"""Models behind servers that speak the OpenAI API: requests, replicas, and how many are in flight."""
