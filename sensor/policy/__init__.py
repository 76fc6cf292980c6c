"""Signatures, tables, books and policy from a centre to its sensors: signed parcels in a compacted topic of Kafka. Each
sensor proves them, tries them, and takes them up or refuses them with a reason.
"""
