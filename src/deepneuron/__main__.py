"""`python -m deepneuron` is `deepneuron`."""

from deepneuron.cli.main import main

if __name__ == "__main__":
    main("python -m deepneuron")
