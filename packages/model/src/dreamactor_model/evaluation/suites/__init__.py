"""What is evaluated: suites of clips, and which ways of animating them stand against each other (paper 4.2, 4.3).

Read in this order: `table` (every suite), `selection` (its clips), `scenes` (a clip as the contenders see it).
"""
