"""Schedulers side by side: each module measures one in a process of its own."""
