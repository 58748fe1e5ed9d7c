"""When not to answer: the heads and gates of a model, fitted and chosen on photos as they go wrong."""
