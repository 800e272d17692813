"""Problems that this project generates, and the bundled, held-out ones among them."""
