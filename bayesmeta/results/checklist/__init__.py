"""What guidelines ask a report to show, and where this run shows it.

An item is met where its evidence is stored in the run, and stops being so when that is taken away.
What only a person can say is a field of the specification, open until it is written.
"""

from ._found import Found, Status
from ._items import ITEMS, Item
from ._list import Checklist, checklist

__all__ = ["ITEMS", "Checklist", "Found", "Item", "Status", "checklist"]
