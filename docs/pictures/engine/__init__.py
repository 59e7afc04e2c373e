"""The pictures of docs/engine.md, one module a subject; docs/pictures/draw_engine.py draws them all."""
