"""`python -m wuzhang` is the `wuzhang` command."""

from wuzhang.cli import main

main()
