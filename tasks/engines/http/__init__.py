"""Models on servers that speak the OpenAI API: requests, retries, replicas, and the number of requests in flight."""
