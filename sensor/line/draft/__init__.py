"""A signature drafted from a conversation: the flows of a capture (transcript), what their messages are for (roles),
the rules that recognise them (rules), the file (document).
"""
