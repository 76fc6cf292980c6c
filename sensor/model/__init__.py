"""Plain data that every part shares: findings, nodes, evidence, figures, events of a core, exit codes. Imports nothing
of ours.
"""
