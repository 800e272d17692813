"""What the Docker sandbox needs: the engine's client, images, containers."""
