"""Books: catalogues, manifests, polite fetching, archives and EPUB."""
