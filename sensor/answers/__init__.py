"""Records as programs get them: objects with stable keys, on the command line and by the interface for programs alike.
The shape of each is `answers.schema.json`, beside this file."""
