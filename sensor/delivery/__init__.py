"""Delivery: what the ledger recorded, carried to each destination by a thread and a cursor of its own.

Threads are made here and nowhere else behind the line. A destination that is slow, gone or broken delays neither
another one nor the line.
"""

from sensor.delivery.delivery import Delivery, build_senders
from sensor.delivery.worker import DeliveryStatus

__all__ = ["Delivery", "DeliveryStatus", "build_senders"]
