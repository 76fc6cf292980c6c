"""Collects what many sensors report through Kafka into one central ledger. A batch is one transaction of the ledger,
with the places up to which it was read; any number of processes share the partitions.
"""
