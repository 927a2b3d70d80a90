"""The Java test functions once more, in NumPy. Formulas: Moré, Garbow, Hillstrom, ACM TOMS 7 (1981) 17-41.

Each function takes a real, complex or extended-precision vector and returns residuals, except the last one.
"""

import pathlib

import numpy as np

RESOURCES = pathlib.Path(__file__).resolve().parents[1] / "resources/io/github/dl4jfuse/functions"

BARD = ".14 .18 .22 .25 .29 .32 .35 .39 .37 .58 .73 .96 1.34 2.10 4.39"
GAUSS = ".0009 .0044 .0175 .0540 .1295 .2420 .3521 .3989 .3521 .2420 .1295 .0540 .0175 .0044 .0009"
MEYER = "34780 28610 23650 19630 16370 13720 11540 9744 8261 7030 6005 5147 4427 3820 3307 2872"
KOWALIK = ".1957 .1947 .1735 .1600 .0844 .0627 .0456 .0342 .0323 .0235 .0246"
KOWALIK_U = "4 2 1 .5 .25 .167 .125 .1 .0833 .0714 .0625"
OSBORNE_1 = """.844 .908 .932 .936 .925 .908 .881 .850 .818 .784 .751 .718 .685 .658 .628 .603 .580 .558 .538 .522
    .506 .490 .478 .467 .457 .448 .438 .431 .424 .420 .414 .411 .406"""
OSBORNE_2 = """1.366 1.191 1.112 1.013 .991 .885 .831 .847 .786 .725 .746 .679 .608 .655 .616 .606 .602 .626 .651
    .724 .649 .649 .694 .644 .624 .661 .612 .558 .533 .495 .500 .423 .395 .375 .372 .391 .396 .405 .428 .429 .523
    .562 .607 .653 .672 .708 .633 .668 .645 .632 .591 .559 .597 .625 .739 .710 .729 .720 .636 .581 .428 .292 .162
    .098 .054"""


def numbers(text):
    return np.array(text.split(), dtype=float)


def stack(*parts):
    return np.concatenate([np.atleast_1d(part) for part in parts])


def upto(m):
    return np.arange(1.0, m + 1)


def magnitude(z):
    return np.where(np.real(z) < 0, -z, z)


def freudenstein_roth(x):
    a, b = x
    return stack(-13 + a + 5 * b**2 - b**3 - 2 * b, -29 + a + b**3 + b**2 - 14 * b)


def powell_badly_scaled(x):
    return stack(1e4 * x[0] * x[1] - 1, np.exp(-x).sum() - 1.0001)


def brown_badly_scaled(x):
    return stack(x - np.array([1e6, 2e-6]), x.prod() - 2)


def beale(x):
    return np.array([1.5, 2.25, 2.625]) - x[0] * (1 - x[1] ** np.arange(1, 4))


def jennrich_sampson(x):
    i = upto(10)
    return 2 * (1 + i) - np.exp(np.outer(i, x)).sum(axis=1)


def helical_valley(x):
    turns = np.arctan(x[1] / x[0]) / (2 * np.pi) + (0.5 if x[0].real < 0 else 0)
    return stack(10 * (x[2] - 10 * turns), 10 * (np.sqrt(x[0] ** 2 + x[1] ** 2) - 1), x[2])


def bard(x):
    u = upto(15)
    v = u[::-1]
    return numbers(BARD) - x[0] - u / (x[1] * v + x[2] * np.minimum(u, v))


def gaussian(x):
    t = np.linspace(3.5, -3.5, 15)
    return x[0] * np.exp(-x[1] / 2 * (t - x[2]) ** 2) - numbers(GAUSS)


def meyer(x):
    return x[0] * np.exp(x[1] / (np.arange(50.0, 130, 5) + x[2])) - numbers(MEYER)


def gulf(x):
    t = upto(99) / 100
    y = 25 + np.cbrt((50 * np.log(t)) ** 2)
    return np.exp(-(magnitude(y - x[1]) ** x[2]) / x[0]) - t


def box_3d(x):
    t = upto(10) / 10
    return np.exp(-t * x[0]) - np.exp(-t * x[1]) - x[2] * (np.exp(-t) - np.exp(-10 * t))


def extended_powell_singular(x):
    a, b, c, d = x.reshape(-1, 4).T
    return stack(a + 10 * b, np.sqrt(5) * (c - d), (b - 2 * c) ** 2, np.sqrt(10) * (a - d) ** 2)


def wood(x):
    a, b, c, d = x
    parts = [10 * (b - a**2), 1 - a, np.sqrt(90) * (d - c**2), 1 - c, np.sqrt(10) * (b + d - 2), (b - d) / np.sqrt(10)]
    return stack(*parts)


def kowalik_osborne(x):
    u = numbers(KOWALIK_U)
    return numbers(KOWALIK) - x[0] * u * (u + x[1]) / (u * (u + x[2]) + x[3])


def brown_dennis(x):
    t = upto(20) / 5
    return (x[0] + t * x[1] - np.exp(t)) ** 2 + (x[2] + x[3] * np.sin(t) - np.cos(t)) ** 2


def osborne_1(x):
    t = 10 * np.arange(33.0)
    return numbers(OSBORNE_1) - x[0] - x[1] * np.exp(-x[3] * t) - x[2] * np.exp(-x[4] * t)


def osborne_2(x):
    t = np.arange(65.0) / 10
    peaks = np.exp(-x[5:8, None] * (t - x[8:, None]) ** 2)
    return numbers(OSBORNE_2) - x[0] * np.exp(-x[4] * t) - x[1:4] @ peaks


def biggs_exp6(x):
    t = upto(13) / 10
    data = np.exp(-t) - 5 * np.exp(-10 * t) + 3 * np.exp(-4 * t)
    return x[2] * np.exp(-x[0] * t) - x[3] * np.exp(-x[1] * t) + x[5] * np.exp(-x[4] * t) - data


def watson(x):
    powers = np.vander(upto(29) / 29, x.size, increasing=True)
    slopes = powers[:, :-1] * upto(x.size - 1)
    return stack(slopes @ x[1:] - (powers @ x) ** 2 - 1, x[0], x[1] - x[0] ** 2 - 1)


def extended_rosenbrock(x):
    return stack(10 * (x[1::2] - x[::2] ** 2), 1 - x[::2])


def penalty_1(x):
    return stack(np.sqrt(1e-5) * (x - 1), x @ x - 0.25)


def penalty_2(x):
    n = x.size
    e, y = np.exp(x / 10), np.exp(np.arange(n + 1.0) / 10)
    pairs = e[1:] + e[:-1] - y[2:] - y[1:-1]
    last = np.arange(n, 0, -1.0) @ x**2 - 1
    return stack(x[0] - 0.2, np.sqrt(1e-5) * pairs, np.sqrt(1e-5) * (e[1:] - np.exp(-0.1)), last)


def variably_dimensioned(x):
    s = upto(x.size) @ (x - 1)
    return stack(x - 1, s, s**2)


def trigonometric(x):
    return (1 - np.cos(x)).sum() + upto(x.size) * (1 - np.cos(x)) - np.sin(x)


def brown_almost_linear(x):
    return stack(x[:-1] + x.sum() - x.size - 1, x.prod() - 1)


def boundary_grid(n):
    return upto(n) / (n + 1)


def discrete_boundary_value(x):
    t, h = boundary_grid(x.size), 1 / (x.size + 1)
    padded = np.pad(x, 1)
    return 2 * x - padded[:-2] - padded[2:] + h**2 / 2 * (x + t + 1) ** 3


def discrete_integral_equation(x):
    t, h = boundary_grid(x.size), 1 / (x.size + 1)
    kernel = np.minimum.outer(t, t) * (1 - np.maximum.outer(t, t))
    return x + h / 2 * (kernel @ (x + t + 1) ** 3)


def broyden_tridiagonal(x):
    padded = np.pad(x, 1)
    return (3 - 2 * x) * x - padded[:-2] - 2 * padded[2:] + 1


def broyden_banded(x):
    i = np.arange(x.size)
    band = (i[None] >= i[:, None] - 5) & (i[None] <= i[:, None] + 1) & (i[None] != i[:, None])
    return x * (2 + 5 * x**2) + 1 - band @ (x + x**2)


def linear_full_rank(x):
    return np.pad(x, (0, 10 - x.size)) - 0.2 * x.sum() - 1


def linear_rank_1(x):
    return upto(10) * (upto(x.size) @ x) - 1


def linear_rank_1_zeros(x):
    inner = upto(x.size)[1:-1] @ x[1:-1]
    return stack(np.arange(9.0) * inner - 1, -1)


def chebyquad(x):
    n = x.size
    means = np.polynomial.chebyshev.chebval(2 * x - 1, np.eye(n + 1)).mean(axis=1)
    return means[1:] + np.array([0 if i % 2 else 1 / (i * i - 1) for i in range(1, n + 1)])


def himmelblau(x):
    return stack(x[0] ** 2 + x[1] - 11, x[0] + x[1] ** 2 - 7)


def chained_rosenbrock(x):
    return stack(10 * (x[1:] - x[:-1] ** 2), 1 - x[:-1])


def java_random(seed):
    """The generator that java.util.Random documents; yields nextDouble()."""
    state = (seed ^ 0x5DEECE66D) & (2**48 - 1)

    def bits(count):
        nonlocal state
        state = (state * 0x5DEECE66D + 0xB) & (2**48 - 1)
        return state >> (48 - count)

    while True:
        yield ((bits(26) << 27) + bits(27)) * 2.0**-53


def ill_conditioned_quadratic(n, condition, reflections=3):
    random = java_random(n)
    q = np.eye(n)
    for _ in range(reflections):
        v = np.array([2 * next(random) - 1 for _ in range(n)])
        q = q - 2 / (v @ v) * np.outer(q @ v, v)
    root = np.sqrt(condition ** (np.arange(n) / (n - 1)) / 2)
    return lambda x: root * (q.T @ (x - 1))


def iris_logistic_regression():
    table = np.loadtxt(RESOURCES / "iris.csv", delimiter=",", skiprows=1)
    lengths, species = table[:, :4], table[:, 4].astype(int)

    def value(x):
        scores = lengths @ x[:12].reshape(3, 4).T + x[12:]
        top = scores.real.max(axis=1, keepdims=True)
        losses = np.log(np.exp(scores - top).sum(axis=1)) + top[:, 0] - scores[np.arange(150), species]
        return losses.mean() + 0.5e-3 * (x[:12] @ x[:12])

    return value
