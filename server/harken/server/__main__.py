"""`python -m harken.server` is `harken serve`."""

from harken.server.command import serve

if __name__ == "__main__":
    serve(prog_name="harken serve")
