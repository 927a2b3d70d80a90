"""Reference values for the Java test functions: NumPy formulas of their own, minimised by SciPy's L-BFGS-B.

Gradients come from complex steps, so neither formula nor derivative is shared with the Java code. Run it anywhere,

    OMP_NUM_THREADS=1 python3 lbfgs_reference.py

and it writes scipy-lbfgsb.csv beside iris.csv in the test resources. The header of that file explains the columns.
"""

import csv
import platform

import numpy as np
import numpy_functions as nf
import scipy
from scipy.optimize import least_squares, minimize

OPTIONS = dict(maxcor=10, ftol=1e-15, gtol=1e-8, maxfun=15000, maxiter=15000, maxls=20)
COMPLEX_STEP = 1e-40
HEADER = """# f0 and f_start_check: value at the start in double and in extended precision
# f_further and g_further: value and Euclidean norm of the gradient at x_j + (1 + |x_j|) (7 j mod 11 - 5) / 64; x = start
# f_min and grad_norm: where SciPy ended; the norm is the largest component; status 0 is no proof of a minimum
# f_star: the known minimum that f_min is at or above; nfev_to_1e8: first one with f - f_star <= 1e-8 max(1; f_star)
"""


class Problem:
    """A sum of squared residuals, or with scalar=True the function itself; known: published minima."""

    def __init__(self, name, function, start, known=(0,), scalar=False):
        self.name, self.function, self.known, self.scalar = name, function, known, scalar
        self.start = np.array(start, dtype=float)

    def objective(self, x):
        result = self.function(x)
        return result if self.scalar else (result**2).sum()

    def value(self, x):
        return float(self.objective(x))

    def gradient(self, x):
        steps = COMPLEX_STEP * 1j * np.eye(x.size)
        return np.array([self.objective(x + step).imag for step in steps]) / COMPLEX_STEP

    def further_point(self):
        """Near the start, all of it exact in binary."""
        j = nf.upto(self.start.size)
        return self.start + (1 + np.abs(self.start)) * ((7 * j) % 11 - 5) / 64


def problems():
    def repeated(pattern, n):
        return np.tile(np.array(pattern, dtype=float), n // len(pattern))

    grid = nf.boundary_grid(10)
    yield Problem("Extended Rosenbrock", nf.extended_rosenbrock, [-1.2, 1])
    yield Problem("Extended Rosenbrock", nf.extended_rosenbrock, repeated([-1.2, 1], 50))
    yield Problem("Freudenstein and Roth", nf.freudenstein_roth, [0.5, -2], (0, 48.9842))
    yield Problem("Powell badly scaled", nf.powell_badly_scaled, [0, 1])
    yield Problem("Brown badly scaled", nf.brown_badly_scaled, [1, 1])
    yield Problem("Beale", nf.beale, [1, 1])
    yield Problem("Jennrich and Sampson", nf.jennrich_sampson, [0.3, 0.4], (124.362,))
    yield Problem("Helical valley", nf.helical_valley, [-1, 0, 0])
    yield Problem("Bard", nf.bard, [1, 1, 1], (8.21487e-3, 17.4286))
    yield Problem("Gaussian", nf.gaussian, [0.4, 1, 0], (1.12793e-8,))
    yield Problem("Meyer", nf.meyer, [0.02, 4000, 250], (87.9458,))
    yield Problem("Gulf research and development", nf.gulf, [5, 2.5, 0.15])
    yield Problem("Box three-dimensional", nf.box_3d, [0, 10, 20])
    yield Problem("Extended Powell singular", nf.extended_powell_singular, [3, -1, 0, 1])
    yield Problem("Extended Powell singular", nf.extended_powell_singular, repeated([3, -1, 0, 1], 20))
    yield Problem("Wood", nf.wood, [-3, -1, -3, -1])
    yield Problem("Kowalik and Osborne", nf.kowalik_osborne, [0.25, 0.39, 0.415, 0.39], (3.07505e-4, 1.02734e-3))
    yield Problem("Brown and Dennis", nf.brown_dennis, [25, 5, -5, -1], (85822.2,))
    yield Problem("Osborne 1", nf.osborne_1, [0.5, 1.5, -1, 0.01, 0.02], (5.46489e-5,))
    yield Problem("Biggs EXP6", nf.biggs_exp6, [1, 2, 1, 1, 1, 1], (0, 5.65565e-3))
    yield Problem("Osborne 2", nf.osborne_2, [1.3, 0.65, 0.65, 0.7, 0.6, 3, 5, 7, 2, 4.5, 5.5], (4.01377e-2,))
    for n, minimum in [(6, 2.28767e-3), (9, 1.39976e-6), (12, 4.72238e-10)]:
        yield Problem("Watson", nf.watson, np.zeros(n), (minimum,))
    for n, minimum in [(4, 2.24997e-5), (10, 7.08765e-5)]:
        yield Problem("Penalty I", nf.penalty_1, nf.upto(n), (minimum,))
    for n, minimum in [(4, 9.37629e-6), (10, 2.93660e-4)]:
        yield Problem("Penalty II", nf.penalty_2, np.full(n, 0.5), (minimum,))
    yield Problem("Variably dimensioned", nf.variably_dimensioned, 1 - nf.upto(10) / 10)
    yield Problem("Trigonometric", nf.trigonometric, np.full(10, 0.1), (0, 2.79506e-5))
    yield Problem("Brown almost-linear", nf.brown_almost_linear, np.full(10, 0.5), (0, 1))
    yield Problem("Discrete boundary value", nf.discrete_boundary_value, grid * (grid - 1))
    yield Problem("Discrete integral equation", nf.discrete_integral_equation, grid * (grid - 1))
    yield Problem("Broyden tridiagonal", nf.broyden_tridiagonal, np.full(10, -1))
    yield Problem("Broyden banded", nf.broyden_banded, np.full(10, -1))
    yield Problem("Linear full rank", nf.linear_full_rank, np.ones(5), (5,))
    yield Problem("Linear rank 1", nf.linear_rank_1, np.ones(5), (15 / 7,))
    yield Problem("Linear rank 1 with zeros", nf.linear_rank_1_zeros, np.ones(5), (62 / 17,))
    for n, minimum in [(7, 0), (8, 3.51687e-3), (10, 6.50395e-3)]:
        yield Problem("Chebyquad", nf.chebyquad, nf.upto(n) / (n + 1), (minimum,))
    yield Problem("Himmelblau", nf.himmelblau, [0, 0])
    for n in [10, 100]:
        yield Problem("Chained Rosenbrock", nf.chained_rosenbrock, repeated([-1.2, 1], n))
    for n, condition in [(10, 1e8), (100, 1e4), (100, 1e8)]:
        name = f"Rotated quadratic of condition {condition:.0e}".replace("e+0", "e")
        yield Problem(name, nf.ill_conditioned_quadratic(n, condition), np.zeros(n))
    yield Problem("Iris logistic regression", nf.iris_logistic_regression(), np.zeros(15), (), scalar=True)


def newton(problem, x):
    """Newton steps from a point near a minimiser until the value, in extended precision, falls no more."""
    best = problem.objective(x.astype(np.longdouble))
    for _ in range(30):
        widths = 1e-6 * (1 + np.abs(x))
        columns = [problem.gradient(x + d) - problem.gradient(x - d) for d in np.diag(widths)]
        hessian = np.array(columns).T / (2 * widths)
        x = x - np.linalg.lstsq(hessian, problem.gradient(x), rcond=1e-14)[0]
        value = problem.objective(x.astype(np.longdouble))
        if not value < best:
            break
        best = value
    return float(best)


def agrees(value, published):
    return abs(value - published) <= 1e-5 * published


def full_precision(problem, x, published):
    """The minimum with the given published digits, all of whose digits are wanted."""
    if published in (0, 1, 5, 15 / 7, 62 / 17):
        return published
    value = newton(problem, x)
    if published is None or agrees(value, published):
        return value

    def jacobian(x):
        steps = COMPLEX_STEP * 1j * np.eye(x.size)
        return np.array([problem.function(x + step).imag for step in steps]).T / COMPLEX_STEP

    tolerances = dict(xtol=1e-15, ftol=1e-15, gtol=1e-15, max_nfev=10000)
    x = least_squares(problem.function, x, jacobian, method="lm", x_scale="jac", **tolerances).x
    value = newton(problem, x)
    if not agrees(value, published):
        raise AssertionError(f"{problem.name}: {value} instead of the published {published}")
    return value


def row(problem):
    values = []

    def value_and_gradient(x):
        values.append(problem.value(x))
        return values[-1], problem.gradient(x)

    result = minimize(value_and_gradient, problem.start, method="L-BFGS-B", jac=True, options=OPTIONS)
    # the minimum it went for: the highest one that is not above where it ended
    published = max((f for f in problem.known if f <= result.fun * (1 + 1e-5)), default=None)
    f_star = full_precision(problem, result.x, published)
    near = [k for k, f in enumerate(values, 1) if f - f_star <= 1e-8 * max(1, abs(f_star))]
    further = problem.further_point()
    return dict(
        name=problem.name,
        n=problem.start.size,
        f0=values[0],
        f_start_check=float(problem.objective(problem.start.astype(np.longdouble))),
        f_further=problem.value(further),
        g_further=float(np.linalg.norm(problem.gradient(further))),
        f_min=float(result.fun),
        grad_norm=float(np.abs(result.jac).max()),
        nfev=result.nfev,
        nit=result.nit,
        status=result.status,
        f_star=f_star,
        nfev_to_1e8=near[0] if near else "",
        message=result.message.replace(",", ";"),
    )


def main():
    np.seterr(all="ignore")  # trial steps overflow
    rows = [row(problem) for problem in problems()]
    versions = f"SciPy {scipy.__version__}; NumPy {np.__version__}; Python {platform.python_version()}"
    options = "; ".join(f"{name}={value}" for name, value in OPTIONS.items())
    with open(nf.RESOURCES / "scipy-lbfgsb.csv", "w", newline="") as file:
        file.write(f"# minimize(method=L-BFGS-B; jac=True; {options}) of {versions}\n")
        file.write(HEADER)
        table = csv.DictWriter(file, rows[0].keys(), lineterminator="\n")
        table.writeheader()
        table.writerows(rows)


if __name__ == "__main__":
    main()
