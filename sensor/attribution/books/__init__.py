"""What sources fill while they are read: books, their rows, holders, customers, and the register of enterprises."""
