"""Steps of the rivals of the comparison in PyTorch, apart from the Java code, as expected values of its tests.

How to run it, with Debian's python3-torch, in dl4j-fuse-tools:

    /usr/bin/python3 src/test/python/rivals.py > src/test/resources/rivals.json

All matrices are [outputs, inputs]. Flat vectors are in the order of DL4J's: dense weights and then biases; of a convolution the
biases first.
"""

import json
import math

import torch

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)

STEPS_ALONE = 32  # SOAP's bases change three times
STEPS = 20
RATE = 0.02
DECAY = 0.1


def waves(n, first, stride, height=1.0):
    """Matrices of full rank, thanks to the square."""
    i = torch.arange(n)
    return height * torch.sin(first + stride * i + 0.1 * i * i)


def falling(step):
    """A schedule, so that a rate which is read at the wrong step is seen."""
    return RATE * (1 - step / 40)


# ---- rules for one parameter; each returns a function (weights, gradient, step) that changes the weights


def adam(decay, betas=(0.9, 0.999)):
    m, v = 0, 0

    def update(w, g, step):
        nonlocal m, v
        m = betas[0] * m + (1 - betas[0]) * g
        v = betas[1] * v + (1 - betas[1]) * g**2
        correction = math.sqrt(1 - betas[1] ** (step + 1)) / (1 - betas[0] ** (step + 1))
        rate = falling(step)
        w.sub_(rate * correction * m / (v.sqrt() + 1e-8) + rate * decay * w)

    return update


def nesterov(decay):
    velocity = 0

    def update(w, g, step):
        nonlocal velocity
        rate = falling(step)
        before = velocity
        velocity = 0.9 * velocity - rate * g
        w.add_(-0.9 * before + 1.9 * velocity - rate * decay * w)

    return update


def newton_schulz(x):
    a, b, c = 3.4445, -4.7750, 2.0315
    x = x / (x.norm() + 1e-7)
    if x.shape[0] > x.shape[1]:
        return newton_schulz_wide(x.T, a, b, c).T
    return newton_schulz_wide(x, a, b, c)


def newton_schulz_wide(x, a, b, c):
    for _ in range(5):
        s = x @ x.T
        x = a * x + (b * s + c * s @ s) @ x
    return x


def muon(decay):
    momentum = 0

    def update(w, g, step):
        nonlocal momentum
        momentum = 0.95 * momentum + g
        direction = newton_schulz(g + 0.95 * momentum)
        rate = falling(step)
        w.sub_(rate * 0.2 * math.sqrt(max(w.shape)) * direction + rate * decay * w)

    return update


def soap(decay, one_sided=False, longest=10_000):
    state = {}

    def sides(w):
        shorter = 0 if w.shape[0] <= w.shape[1] else 1
        return [k for k in (0, 1) if w.shape[k] <= longest and (not one_sided or k == shorter)]

    def rotated(x, back=False):
        for k, q in state["q"].items():
            q = q.T if back else q
            x = q.T @ x if k == 0 else x @ q
        return x

    def learn(g):
        for k in state["factors"]:
            outer = g @ g.T if k == 0 else g.T @ g
            state["factors"][k] = 0.95 * state["factors"][k] + 0.05 * outer

    def update(w, g, step):
        if not state:
            state.update(
                t=0,
                m=torch.zeros_like(w),  # in the original basis
                v=torch.zeros_like(w),
                factors={k: torch.zeros(w.shape[k], w.shape[k]) for k in sides(w)},
            )
            learn(g)
            state["q"] = {k: torch.linalg.eigh(f).eigenvectors.flip(1) for k, f in state["factors"].items()}
            w.sub_(falling(step) * decay * w)
            return
        state["t"] += 1
        t = state["t"]
        state["m"] = 0.95 * state["m"] + 0.05 * g
        state["v"] = 0.95 * state["v"] + 0.05 * rotated(g) ** 2
        correction = math.sqrt(1 - 0.95**t) / (1 - 0.95**t)
        rate = falling(step)
        move = rotated(rotated(state["m"]) / (state["v"].sqrt() + 1e-8), back=True)
        w.sub_(rate * correction * move + rate * decay * w)
        learn(g)
        if t % 10 == 0:
            for k, q in state["q"].items():
                f = state["factors"][k]
                order = torch.argsort((q * (f @ q)).sum(0), descending=True)
                state["v"] = state["v"].index_select(k, order)
                state["q"][k] = torch.linalg.qr(f @ q[:, order]).Q

    return update


class ScheduleFree:
    """Three points, as in the paper; the weights given are y."""

    def __init__(self, decay, warm_up=5):
        self.decay, self.warm_up = decay, warm_up
        self.v, self.weights, self.x, self.z = 0, 0, None, None

    def __call__(self, y, g, step):
        if self.x is None:
            self.x, self.z = y.clone(), y.clone()
        gamma = RATE * min(1, (step + 1) / self.warm_up)
        self.weights += gamma**2
        self.v = 0.999 * self.v + 0.001 * g**2
        self.z = self.z - gamma * (g / ((self.v / (1 - 0.999 ** (step + 1))).sqrt() + 1e-8) + self.decay * y)
        c = gamma**2 / self.weights
        self.x = (1 - c) * self.x + c * self.z
        y.copy_(0.1 * self.z + 0.9 * self.x)


# ---- a rule alone: gradients that depend on the weights


def alone(make, rows, columns, low_rank=False):
    w = waves(rows * columns, 0.3, 1.1).reshape(rows, columns)
    base = waves(rows * columns, 0.5, 2.3).reshape(rows, columns)
    rule = make()
    for step in range(STEPS_ALONE):
        if low_rank:  # in the space of the first one, as the basis beside it is anybody's
            mix = waves(rows * rows, 0.4 + step, 1.9).reshape(rows, rows)
            g = mix @ base
        else:
            g = waves(rows * columns, 0.7 + 1.3 * step, 1.7).reshape(rows, columns) + 0.5 * w
        rule(w, g, step)
    return w.flatten().tolist()


# ---- a network: convolution of 2 filters 3x3 on 1x5x5, dense of 4, softmax of 3; tanh


def network(weights_rule, others_rule, output_rule, average=None):
    shapes = [("b", (2,)), ("w", (2, 9)), ("w", (4, 18)), ("b", (4,)), ("o", (3, 4)), ("b", (3,))]
    sizes = [math.prod(shape) for _, shape in shapes]
    flat = waves(sum(sizes), 1.0, 2.3, 0.3)
    parts = [p.reshape(s).clone() for p, (_, s) in zip(flat.split(sizes), shapes)]
    make = {"b": others_rule, "w": weights_rule, "o": output_rule}
    rules = [make[kind]() for kind, _ in shapes]
    labels = torch.arange(8) % 3
    mean, weight = [torch.zeros_like(p) for p in parts], 0
    for step in range(STEPS):
        x = waves(200, 0.7 + step, 1.3).reshape(8, 1, 5, 5)
        leaves = [p.clone().requires_grad_() for p in parts]
        bc, wc, wd, bd, wo, bo = leaves
        hidden = torch.tanh(torch.nn.functional.conv2d(x, wc.reshape(2, 1, 3, 3), bc)).flatten(1)
        out = torch.tanh(hidden @ wd.T + bd) @ wo.T + bo
        torch.nn.functional.cross_entropy(out, labels).backward()
        for p, leaf, rule in zip(parts, leaves, rules):
            rule(p, leaf.grad, step)
        if average is not None:
            mean = [average * a + (1 - average) * p for a, p in zip(mean, parts)]
            weight = average * weight + 1 - average
    result = {"trained": torch.cat([p.flatten() for p in parts]).tolist()}
    if average is not None:
        result["evaluated"] = torch.cat([(a / weight).flatten() for a in mean]).tolist()
    if isinstance(rules[0], ScheduleFree):
        result["evaluated"] = torch.cat([r.x.flatten() for r in rules]).tolist()
    return result


def adam_w():
    return adam(DECAY)


def plain():
    return adam(0)


def one_sided():
    return soap(DECAY, one_sided=True)


def rounded(value):
    if isinstance(value, dict):
        return {key: rounded(each) for key, each in value.items()}
    return [float(f"{each:.10g}") for each in value]


RESULT = {
    "alone": {
        "muon 5 8": alone(lambda: muon(0), 5, 8),
        "muon 8 5": alone(lambda: muon(0), 8, 5),
        "soap 6 6": alone(lambda: soap(0), 6, 6),
        "soap 4 9": alone(lambda: soap(0), 4, 9, low_rank=True),
        "soap-one-sided 4 9": alone(lambda: soap(0, one_sided=True), 4, 9),
        "soap-one-sided 9 4": alone(lambda: soap(0, one_sided=True), 9, 4),
        "soap-up-to-4 9 4": alone(lambda: soap(0, longest=4), 9, 4),
        "soap-up-to-3 9 4": alone(lambda: soap(0, longest=3), 9, 4),
        "schedule-free 3 4": alone(lambda: ScheduleFree(0), 3, 4),
    },
    "network": {
        "adamw": network(adam_w, plain, adam_w),
        "adam-ema": network(adam_w, plain, adam_w, average=0.9),
        "nesterov": network(lambda: nesterov(DECAY), lambda: nesterov(0), lambda: nesterov(DECAY)),
        "muon": network(lambda: muon(DECAY), plain, adam_w),
        "soap-one-sided": network(one_sided, lambda: adam(0, (0.95, 0.95)), one_sided),
        "schedule-free": network(lambda: ScheduleFree(DECAY), lambda: ScheduleFree(0), lambda: ScheduleFree(DECAY)),
    },
}

print(json.dumps(rounded(RESULT), separators=(",", ":")))
