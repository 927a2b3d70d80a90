#!/usr/bin/env python3
"""Steps of Adam in PyTorch on one thread, for `dl4j-fuse-benchmarks.jar layers`: for each line with a number on standard input, so
many steps with images as they come and with their channels last; the answer is the two medians in milliseconds, behind a word."""
import statistics
import sys
import time

import torch
from torch import nn


def network(name):
    if name == "mlp":
        layers = [nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 10)]
        return nn.Sequential(*layers), (784,)
    if name == "cifar-cnn":
        layers, before = [], 3
        for channels in (16, 32):
            for _ in range(2):
                layers += [nn.Conv2d(before, channels, 3, padding=1), nn.ReLU()]
                before = channels
            layers.append(nn.MaxPool2d(2))
        layers += [nn.Flatten(), nn.Linear(2048, 64), nn.ReLU(), nn.Linear(64, 10)]
        return nn.Sequential(*layers), (3, 32, 32)
    if name == "fashion-cnn":
        layers, before = [], 1
        for channels in (8, 16):
            layers += [nn.Conv2d(before, channels, 5), nn.BatchNorm2d(channels), nn.MaxPool2d(2)]
            before = channels
        layers += [nn.Flatten(), nn.Linear(256, 64), nn.ReLU(), nn.Linear(64, 10)]
        return nn.Sequential(*layers), (1, 28, 28)
    raise SystemExit(f"There is no network {name}.")


class Trainee:
    def __init__(self, name, batch, channels_last):
        self.model, shape = network(name)
        self.inputs = torch.rand(batch, *shape)
        if channels_last and len(shape) == 3:
            self.model = self.model.to(memory_format=torch.channels_last)
            self.inputs = self.inputs.to(memory_format=torch.channels_last)
        self.labels = torch.arange(batch) % 10
        self.optimizer = torch.optim.Adam(self.model.parameters(), 1e-6)  # as in LayerSteps, see there
        self.loss = nn.CrossEntropyLoss()

    def step(self):
        begin = time.perf_counter()
        self.optimizer.zero_grad()
        loss = self.loss(self.model(self.inputs), self.labels)
        loss.backward()
        self.optimizer.step()
        loss.item()
        return (time.perf_counter() - begin) * 1e3


def main():
    torch.set_num_threads(1)
    torch.manual_seed(5)
    trainees = [Trainee(sys.argv[1], int(sys.argv[2]), last) for last in (False, True)]
    for line in sys.stdin:
        medians = [statistics.median(trainee.step() for _ in range(int(line))) for trainee in trainees]
        print("median", *(f"{each:.3f}" for each in medians), flush=True)


main()
