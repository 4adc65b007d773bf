from deepneuron import ops
from deepneuron.engine.variable import Variable
from deepneuron.engine.gradients import gradients, value_and_grad
from deepneuron.engine.scope import recording
