"""`python -m hfcbench` is the program `hfcbench`."""

from hfcbench.cli.main import main

if __name__ == "__main__":
    main()
