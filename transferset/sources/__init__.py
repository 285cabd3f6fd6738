"""Where documents come from: dumps, downloads, corpus manifests."""
