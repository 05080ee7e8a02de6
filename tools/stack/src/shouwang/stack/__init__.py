"""The whole suite on one machine, out of wheels: run it, show it a night, replay real traces, look whether all is well."""
