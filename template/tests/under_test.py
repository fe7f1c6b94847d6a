"""The modules under test: these tests come with the standard and do not know the package's name; yours can use it."""

from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = next(ROOT.glob("src/*/contract.py")).parent.name

contract = import_module(f"{PACKAGE}.contract")
params = import_module(f"{PACKAGE}.params")
prepare = import_module(f"{PACKAGE}.prepare")
features = import_module(f"{PACKAGE}.features")
train = import_module(f"{PACKAGE}.train")
metrics = import_module(f"{PACKAGE}.metrics")
evaluate = import_module(f"{PACKAGE}.evaluate")
request = import_module(f"{PACKAGE}.request")
predict = import_module(f"{PACKAGE}.predict")
report = import_module(f"{PACKAGE}.report")
artifacts = import_module(f"{PACKAGE}.artifacts")
gate = import_module(f"{PACKAGE}.gate")
champion = import_module(f"{PACKAGE}.champion")
slices = import_module(f"{PACKAGE}.slices")
bias = import_module(f"{PACKAGE}.bias")
drift = import_module(f"{PACKAGE}.drift")
compare = import_module(f"{PACKAGE}.compare")
bless = import_module(f"{PACKAGE}.bless")
journal = import_module(f"{PACKAGE}.journal")
bins = import_module(f"{PACKAGE}.bins")
client = import_module(f"{PACKAGE}.client")
export = import_module(f"{PACKAGE}.export")
trees = import_module(f"{PACKAGE}.trees")
labels = import_module(f"{PACKAGE}.labels")
ab = import_module(f"{PACKAGE}.ab")
answers = import_module(f"{PACKAGE}.serving.answers")
api = import_module(f"{PACKAGE}.serving.api")
batch = import_module(f"{PACKAGE}.serving.batch")
contributions = import_module(f"{PACKAGE}.serving.contributions")
encode = import_module(f"{PACKAGE}.serving.encode")
guard = import_module(f"{PACKAGE}.serving.guard")
ids = import_module(f"{PACKAGE}.serving.ids")
openapi = import_module(f"{PACKAGE}.serving.openapi")
prediction_log = import_module(f"{PACKAGE}.serving.prediction_log")
signals = import_module(f"{PACKAGE}.serving.signals")
variants = import_module(f"{PACKAGE}.serving.variants")
