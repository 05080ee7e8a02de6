"""The whole suite on one machine, out of wheels: run it, play it a night or real traces, look whether it is well."""
