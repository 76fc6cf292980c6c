"""A province as captures, with the truth about it, by code that shares nothing with the estimator.

`simulate` writes days of traffic of miners and pools, `truth` says what they really did, `runs` has the command line
read the captures in many ways, and `goals` compares what the ledger says with the truth and with each other. Run as
`make province`.
"""
