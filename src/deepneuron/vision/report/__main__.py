"""`python -m deepneuron.vision.report`: see demo.py."""

from deepneuron.vision.report.demo import main

main()
