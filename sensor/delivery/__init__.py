"""Delivery: what the ledger recorded, carried to each destination by a thread and a cursor of its own.

Threads are made here and nowhere else behind the line. A destination that is slow, gone or broken delays neither
another one nor the line.
"""
