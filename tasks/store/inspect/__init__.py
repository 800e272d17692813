"""Looking at what is stored: listing, querying, checking, exporting. Nothing here draws or grades."""
