"""`python -m wordrow` is the command."""

from wordrow.app.main import main

main()
