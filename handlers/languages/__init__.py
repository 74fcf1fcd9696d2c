"""The catalogues of sentences, one file a language (`handlers.kit.language`)."""
