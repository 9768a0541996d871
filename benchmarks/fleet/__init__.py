"""A queue, its watchers and their policies in virtual time: who calls how often, and sees an end how late."""
