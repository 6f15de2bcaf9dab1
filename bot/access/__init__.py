"""Who may read what: the audience of a place and of a person, and what of a remembered conversation may be used."""
