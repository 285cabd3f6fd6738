"""Students: small torch models, their losses, masks and vocabularies, and how they are kept."""
