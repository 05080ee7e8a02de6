"""Shouwang's plumbing, without a domain word: how a message gets in, is decided once, stored once and told once."""
