#!/usr/bin/python3
"""Trains networks of `dl4j-fuse compare` in PyTorch with AdamW, for its option --peer. One process serves one workload.

It is asked on standard input and answers on standard output, a line of JSON each:

  {"workload": ..., "batch": ..., "shape": [...], "sizes": [...]}   {"ready": true}
  the training, validation and test set, each as float32 inputs
  and int64 classes, little-endian                                 {"machine": ...}
  {"do": "run", "setting": {...}, "seed": ..., "budget": {...},
   "readings": ...}                                                {"failure": ..., "steps": ..., "checkpoints": [...], ..}
  {"do": "block", the same, "name": ..., "steps": ...,
   "seconds": ...}                                                 {"steps": ..., "seconds": ...}

The rules are those of the Java classes Runner and CostMeter: reading costs no time, nor does making a batch. What cannot be
done ends the process with a sentence on standard error. It ends when standard input does, so it never outlives its parent.
"""
import json
import math
import os
import platform
import queue
import re
import statistics
import sys
import threading
import time

try:
    import numpy
    import torch
    from torch import nn
except ImportError as missing:
    sys.exit(f"PyTorch is not there ({missing}): install Debian's python3-torch and python3-numpy")

TRAINING_EXAMPLES = 10_000
MEASURING_BATCH = 1_000
ROUNDING = 1e-9
LAYOUT_ROUNDS = 5
LAYOUT_STEPS = 3
PLAIN = {"rate": 1e-3, "shape": "linear", "decay": 0, "dropout": 0}


def started(layer, weights, bias=0.0):
    weights(layer.weight)
    nn.init.constant_(layer.bias, bias)
    return layer


def he(weight):
    nn.init.kaiming_normal_(weight, nonlinearity="relu")


def cut_off(weight):
    nn.init.trunc_normal_(weight, std=0.05, a=-0.1, b=0.1)


xavier = nn.init.xavier_normal_
xavier_uniform = nn.init.xavier_uniform_


def fashion_mlp(dropout):
    return [
        started(nn.Linear(784, 256), he), nn.ReLU(),
        nn.Dropout(dropout), started(nn.Linear(256, 128), he), nn.ReLU(),
        nn.Dropout(dropout), started(nn.Linear(128, 10), xavier),
    ]


def fashion_2c2d(dropout):
    return [
        started(nn.Conv2d(1, 32, 5, padding=2), cut_off, 0.05), nn.ReLU(), nn.MaxPool2d(2),
        started(nn.Conv2d(32, 64, 5, padding=2), cut_off, 0.05), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Dropout(dropout), started(nn.Linear(3136, 1024), cut_off, 0.05), nn.ReLU(),
        nn.Dropout(dropout), started(nn.Linear(1024, 10), cut_off, 0.05),
    ]


def fashion_lenet(dropout):
    return [
        started(nn.Conv2d(1, 20, 5), xavier), nn.MaxPool2d(2),
        started(nn.Conv2d(20, 50, 5), xavier), nn.MaxPool2d(2), nn.Flatten(),
        nn.Dropout(dropout), started(nn.Linear(800, 500), xavier), nn.ReLU(),
        nn.Dropout(dropout), started(nn.Linear(500, 10), xavier),
    ]


def cifar_3c3d(dropout):
    return [
        started(nn.Conv2d(3, 64, 5), xavier), nn.ReLU(), nn.MaxPool2d(3, 2, ceil_mode=True),
        started(nn.Conv2d(64, 96, 3), xavier), nn.ReLU(), nn.MaxPool2d(3, 2, ceil_mode=True),
        started(nn.Conv2d(96, 128, 3, padding=1), xavier), nn.ReLU(), nn.MaxPool2d(3, 2, ceil_mode=True), nn.Flatten(),
        nn.Dropout(dropout), started(nn.Linear(1152, 512), xavier_uniform), nn.ReLU(),
        nn.Dropout(dropout), started(nn.Linear(512, 256), xavier_uniform), nn.ReLU(),
        nn.Dropout(dropout), started(nn.Linear(256, 10), xavier_uniform),
    ]


# The layers, l2 on weights, and by how many pixels training images are shifted (None: they stay as they are).
NETWORKS = {
    "fashion-mlp": (fashion_mlp, 0, None),
    "fashion-2c2d": (fashion_2c2d, 0, None),
    "fashion-lenet": (fashion_lenet, 5e-4, None),
    "cifar-3c3d": (cifar_3c3d, 2e-3, 2),
}


class Workload:
    def __init__(self, line):
        name = line["workload"]
        base = re.split("[@+]", name)[0]  # a variant has another batch or other inputs, and the same network
        if base not in NETWORKS:
            raise SystemExit(f"it knows {', '.join(NETWORKS)}, and not {name}")
        self.layers, self.l2, self.shift = NETWORKS[base]
        self.batch, self.shape, self.sizes = line["batch"], line["shape"], line["sizes"]
        self.channels_last = False

    def read(self, stream):
        self.train, self.validation, self.test = (self.read_set(stream, size) for size in self.sizes)
        if self.shift is not None:
            self.black = self.train[0].amin(dim=(0, 2, 3))[:, None, None]  # what 0 has become by standardising

    def read_set(self, stream, size):
        inputs = numpy.frombuffer(read_exactly(stream, 4 * size * math.prod(self.shape)), "<f4")
        classes = numpy.frombuffer(read_exactly(stream, 8 * size), "<i8")
        return torch.from_numpy(inputs.copy()).reshape(size, *self.shape), torch.from_numpy(classes.copy())

    def laid_out(self, images):
        return images.contiguous(memory_format=torch.channels_last) if self.channels_last else images

    def batches(self, seed):
        """Gives batches for ever: each epoch has another order, and its last batch holds what is left."""
        generator = torch.Generator().manual_seed(seed)
        inputs, classes = self.train
        while True:
            for chosen in torch.randperm(len(classes), generator=generator).split(self.batch):
                images = inputs[chosen]
                if self.shift is not None:
                    images = self.changed(images, generator)
                yield self.laid_out(images), classes[chosen]

    def changed(self, images, generator):
        """Turns images left to right half of the time, and shifts them, with black at the edge."""
        turned = torch.randint(2, (len(images),), generator=generator).tolist()
        moves = torch.randint(2 * self.shift + 1, (len(images), 2), generator=generator).tolist()
        height, width = images.shape[2:]
        edge = self.shift
        framed = self.black.expand(-1, height + 2 * edge, width + 2 * edge).repeat(len(images), 1, 1, 1)
        framed[:, :, edge:-edge, edge:-edge] = images
        out = torch.empty_like(images)
        for i, (turn, (down, right)) in enumerate(zip(turned, moves)):
            image = framed[i, :, down:down + height, right:right + width]
            out[i] = image.flip(2) if turn else image
        return out


class Trainee:
    """A network in training, and the time of its steps."""

    def __init__(self, workload, request):
        setting, self.budget = request["setting"], request["budget"]
        torch.manual_seed(request["seed"])
        self.workload = workload
        self.model = nn.Sequential(*workload.layers(setting["dropout"]))
        if workload.channels_last:
            self.model = self.model.to(memory_format=torch.channels_last)
        self.weights = [p for name, p in self.model.named_parameters() if name.endswith("weight")]
        biases = [p for name, p in self.model.named_parameters() if name.endswith("bias")]
        self.optimizer = torch.optim.AdamW([
            {"params": self.weights, "weight_decay": setting["decay"]},
            {"params": biases, "weight_decay": 0},
        ])
        self.setting = setting
        self.loss = nn.CrossEntropyLoss()
        self.batches = workload.batches(request["seed"])
        self.steps, self.seconds = 0, 0.0

    def used(self):
        return (self.seconds if self.budget["inSeconds"] else self.steps) / self.budget["amount"]

    def rate(self):
        p = min(1, self.used())
        factors = {"constant": 1, "cosine": (1 + math.cos(math.pi * p)) / 2, "linear": 1 - p}
        return self.setting["rate"] * factors[self.setting["shape"]]

    def step(self):
        inputs, classes = next(self.batches)
        begin = time.perf_counter()
        rate = self.rate()
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.loss(self.model(inputs), classes)
        loss.backward()
        if self.workload.l2:
            for weight in self.weights:
                weight.grad.add_(weight.detach(), alpha=self.workload.l2)
        self.optimizer.step()
        loss.item()
        spent = time.perf_counter() - begin
        self.steps += 1
        self.seconds += spent
        return spent

    def score(self, examples, most=None):
        """Returns mean loss and accuracy."""
        inputs, classes = examples
        count = len(classes) if most is None else min(most, len(classes))
        loss, right = 0.0, 0
        self.model.eval()
        with torch.no_grad():
            for i in range(0, count, MEASURING_BATCH):
                chosen = slice(i, min(i + MEASURING_BATCH, count))
                outputs = self.model(self.workload.laid_out(inputs[chosen]))
                loss += nn.functional.cross_entropy(outputs, classes[chosen], reduction="sum").item()
                right += (outputs.argmax(1) == classes[chosen]).sum().item()
        self.model.train()
        return loss / count, right / count

    def checkpoint(self, everything, now=True):
        unread = (math.nan, math.nan)
        training = self.score(self.workload.train, TRAINING_EXAMPLES) if everything else unread
        validation = self.score(self.workload.validation) if now else unread
        test = self.score(self.workload.test) if everything else unread
        return {
            "gradients": self.steps,
            "seconds": self.seconds,
            "steps": {"1": self.steps} if self.steps else {},
            "trainingLoss": number(training[0]),
            "validationLoss": number(validation[0]),
            "validationAccuracy": number(validation[1]),
            "testLoss": number(test[0]),
            "testAccuracy": number(test[1]),
            "measured": {},
        }

    def extra_bytes(self):
        return sum(
            moment.numel() * moment.element_size()
            for state in self.optimizer.state.values()
            for moment in (state["exp_avg"], state["exp_avg_sq"]))


def run(workload, request):
    """Trains within the budget; 0 readings: the validation set at the end, and nothing else."""
    everything = request["readings"] > 0
    points = max(1, request["readings"])
    trainee = Trainee(workload, request)
    checkpoints = [trainee.checkpoint(everything, everything)]
    failure, read = "", 0
    while trainee.used() < 1 and not failure:
        trainee.step()
        if trainee.used() >= (read + 1) / points:
            read = int(min(points, math.floor(trainee.used() * points + ROUNDING)))
            checkpoints.append(trainee.checkpoint(everything))
            if isinstance(checkpoints[-1]["validationLoss"], str):
                failure = "the loss is not finite"
    return {
        "failure": failure,
        "steps": trainee.steps,
        "extraBytes": trainee.extra_bytes(),
        "checkpoints": checkpoints,
    }


def block(workload, request, clocked):
    """Takes a block of steps with a network that is kept for the next block."""
    if request["name"] not in clocked:
        clocked[request["name"]] = Trainee(workload, request)
    trainee = clocked[request["name"]]
    begin, before = trainee.seconds, trainee.steps
    while trainee.steps - before < request["steps"] or trainee.seconds - begin < request["seconds"]:
        trainee.step()
    return {"steps": trainee.steps - before, "seconds": trainee.seconds - begin}


def choose_layout(workload):
    """Keeps the faster layout of images in memory."""
    trainees = []
    request = {"setting": PLAIN, "seed": 1, "budget": {"amount": 1e9, "inSeconds": False}}
    for last in (False, True):
        workload.channels_last = last
        trainees.append(Trainee(workload, request))
    rounds = []
    for _ in range(LAYOUT_ROUNDS):
        times = []
        for last, trainee in zip((False, True), trainees):
            workload.channels_last = last
            times.append(sum(trainee.step() for _ in range(LAYOUT_STEPS)))
        rounds.append(times)
    first, last = (statistics.median(times) for times in list(zip(*rounds[1:])))
    workload.channels_last = last < first
    return "channels last" if workload.channels_last else "channels first"


def number(value):
    """What is not finite is text in these lines."""
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def read_exactly(stream, count):
    data = stream.read(count)
    if len(data) < count:
        raise SystemExit("standard input ended within the data")
    return data


def answer(values):
    print(json.dumps(values), flush=True)


def processor():
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.machine()


def requests(stream):
    """Reads ahead on a thread of its own, so that the end of input is seen in the middle of a run too."""
    waiting = queue.Queue()

    def read():
        for line in stream:
            waiting.put(line)
        os._exit(0)

    threading.Thread(target=read, daemon=True).start()
    while True:
        yield json.loads(waiting.get())


def main():
    torch.set_num_threads(1)
    stream = sys.stdin.buffer
    workload = Workload(json.loads(stream.readline()))
    answer({"ready": True})
    workload.read(stream)
    layout = f", {choose_layout(workload)}" if len(workload.shape) == 3 else ""
    answer({"machine": f"PyTorch {torch.__version__}, {torch.get_num_threads()} thread{layout}, {processor()}"})
    clocked = {}
    for request in requests(stream):
        answer(run(workload, request) if request["do"] == "run" else block(workload, request, clocked))


main()
