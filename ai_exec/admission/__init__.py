"""Admission: whether a model may run, at what price, or every reason why not."""
