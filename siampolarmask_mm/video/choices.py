"""What the command line lets a user choose from, without the modules that do it.

Those import torch and mmtrack, which takes seconds; ``--help`` should not.
"""

OUTPUTS = ('overlay', 'masks', 'json', 'csv')
# Of a drawing, from the lowest layer to the top one.
PARTS = ('scores', 'masks', 'boxes', 'window', 'rays', 'tags')
