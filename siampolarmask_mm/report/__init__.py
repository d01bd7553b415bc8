"""A page about a test run: figures, curves and pictures, worst videos first.

`scored_run` collects what was scored, `ranking` brings it in order, `pictures` and `curves`
draw, `page` writes one HTML file that needs neither a server nor a network.
"""
