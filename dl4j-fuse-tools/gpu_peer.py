#!/usr/bin/env python3
"""The networks of compare's fashion-mlp and fashion-cnn in PyTorch, under the same rules.

The last tenth of the training images validates, rates fall linearly to 0 over the seconds of training, the clock stands
still while the network is measured, at 20 even shares of the budget. A JSON line for each run, when it ends. All data lie
on the device. Muon moves the matrices of hidden dense layers, Adam the rest; it is left out, with a sentence, where this
PyTorch has none (before 2.9).
"""
import argparse
import gzip
import json
import time

import numpy
import torch
from torch import nn


def idx(folder, name, header):
    for path, opener in ((f"{folder}/{name}", open), (f"{folder}/{name}.gz", gzip.open)):
        try:
            with opener(path, "rb") as file:
                return numpy.frombuffer(file.read(), numpy.uint8, offset=header).copy()
        except FileNotFoundError:
            continue
    raise SystemExit(f"{folder} lacks {name}.gz of Fashion-MNIST.")


def images(folder, prefix, device, flat):
    pixels = torch.from_numpy(idx(folder, f"{prefix}-images-idx3-ubyte", 16)).to(device).float() / 255
    labels = torch.from_numpy(idx(folder, f"{prefix}-labels-idx1-ubyte", 8)).to(device).long()
    return pixels.reshape((-1, 784) if flat else (-1, 1, 28, 28)), labels


def start(layer, gain):
    """DL4J's WeightInit.RELU (gain 2 over the inputs) and XAVIER (2 over inputs and outputs), biases 0."""
    fan_in, fan_out = nn.init._calculate_fan_in_and_fan_out(layer.weight)
    variance = 2 / fan_in if gain == "relu" else 2 / (fan_in + fan_out)
    nn.init.normal_(layer.weight, 0, variance**0.5)
    nn.init.zeros_(layer.bias)
    return layer


def network(kind):
    if kind == "mlp":
        return nn.Sequential(
            start(nn.Linear(784, 256), "relu"), nn.ReLU(), start(nn.Linear(256, 128), "relu"), nn.ReLU(),
            start(nn.Linear(128, 10), "xavier"))
    layers, channels = [], 1
    for wanted in (8, 16):
        layers += [start(nn.Conv2d(channels, wanted, 5), "relu"), nn.BatchNorm2d(wanted), nn.ReLU(), nn.MaxPool2d(2)]
        channels = wanted
    return nn.Sequential(
        *layers, nn.Flatten(), start(nn.Linear(256, 64), "relu"), nn.ReLU(), start(nn.Linear(64, 10), "xavier"))


def optimizers(net, name, rate):
    if name == "adam":
        return [torch.optim.Adam(net.parameters(), lr=rate)]
    linear = [layer for layer in net if isinstance(layer, nn.Linear)][:-1]
    hidden = [layer.weight for layer in linear]
    others = [p for p in net.parameters() if not any(p is h for h in hidden)]
    muon = torch.optim.Muon(hidden, lr=rate, weight_decay=0.0, adjust_lr_fn="match_rms_adamw")
    return [muon, torch.optim.Adam(others, lr=rate)]


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--data", required=True, help="folder with the four idx files")
    options.add_argument("--network", choices=("mlp", "cnn"), required=True)
    options.add_argument("--batch", required=True, help="batch sizes, such as 4096,512")
    options.add_argument("--rates", default="1e-3,3e-3,1e-2")
    options.add_argument("--muon-rates", default="3e-3,1e-2")
    options.add_argument("--seconds", type=float, default=5)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--out", required=True, help="file for a JSON line a run")
    given = options.parse_args()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    machine = torch.cuda.get_device_name() if device == "cuda" else f"CPU, {torch.get_num_threads()} threads"
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    flat = given.network == "mlp"
    x, y = images(given.data, "train", device, flat)
    test = images(given.data, "t10k", device, flat)
    kept = len(y) * 9 // 10
    parts = {"training": (x[:kept], y[:kept]), "validation": (x[kept:], y[kept:]), "test": test}

    def wait():
        if device == "cuda":
            torch.cuda.synchronize()

    @torch.no_grad()
    def measure(net):
        net.eval()
        row = {}
        for name, (inputs, labels) in parts.items():
            outputs = torch.cat([net(piece) for piece in inputs.split(1000)])
            row[name + "Loss"] = nn.functional.cross_entropy(outputs, labels).item()
            if name == "test":
                row["testAccuracy"] = (outputs.argmax(1) == labels).float().mean().item()
        net.train()
        return row

    def run(batch, name, rate, budget):
        torch.manual_seed(given.seed)
        net = network(given.network).to(device)
        rules = optimizers(net, name, rate)
        seconds, steps, points, order = 0.0, 0, [], None
        at = kept
        while seconds < budget:
            if at >= kept:
                order, at = torch.randperm(kept, device=device), 0
            wait()
            begin = time.perf_counter()
            share = order[at:at + batch]
            for rule in rules:
                for group in rule.param_groups:
                    group["lr"] = rate * (1 - seconds / budget)
                rule.zero_grad(set_to_none=True)
            nn.functional.cross_entropy(net(x[share]), y[share]).backward()
            for rule in rules:
                rule.step()
            wait()
            seconds += time.perf_counter() - begin
            at += batch
            steps += 1
            if seconds / budget >= (len(points) + 1) / 20:
                points.append({"seconds": seconds, "steps": steps, **measure(net)})
        return steps, points

    contestants = [("adam", float(rate)) for rate in given.rates.split(",")]
    if not hasattr(torch.optim, "Muon"):
        print(f"PyTorch {torch.__version__} has no Muon: left out.", flush=True)
    else:
        contestants += [("muon", float(rate)) for rate in given.muon_rates.split(",") if rate]
    for batch in (int(size) for size in given.batch.split(",")):
        run(batch, "adam", 1e-3, min(1.0, given.seconds))  # warm-up
        for name, rate in contestants:
            try:
                steps, points = run(batch, name, rate, given.seconds)
            except (RuntimeError, TypeError, ValueError) as failure:
                print(f"{given.network} @{batch} {name} {rate:g} failed: {failure}", flush=True)
                continue
            line = {
                "network": given.network, "batch": batch, "optimizer": name, "rate": rate, "seed": given.seed,
                "budget": given.seconds, "steps": steps, "torch": torch.__version__, "machine": machine,
                "examples": kept, "checkpoints": points}
            with open(given.out, "a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
            last = points[-1]
            print(
                f"{given.network} @{batch} {name} {rate:g}: test {100 * last['testAccuracy']:.2f} %, training loss"
                f" {last['trainingLoss']:.4f}, {steps} steps of {1e3 * given.seconds / steps:.3f} ms", flush=True)


if __name__ == "__main__":
    main()
