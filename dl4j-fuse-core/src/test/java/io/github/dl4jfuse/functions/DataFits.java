package io.github.dl4jfuse.functions;

import static io.github.dl4jfuse.functions.TestFunction.at;
import static java.lang.Math.exp;

import io.github.dl4jfuse.functions.TestFunction.Minimum;

/** The curves fitted to data among the functions of {@link MoreGarbowHillstrom}; numbers in brackets are its. */
final class DataFits {

    private static final double[] BARD = {
        0.14, 0.18, 0.22, 0.25, 0.29, 0.32, 0.35, 0.39, 0.37, 0.58, 0.73, 0.96, 1.34, 2.10, 4.39
    };
    private static final double[] GAUSSIAN = {0.3989, 0.3521, 0.2420, 0.1295, 0.0540, 0.0175, 0.0044, 0.0009};
    private static final double[] MEYER = {
        34780, 28610, 23650, 19630, 16370, 13720, 11540, 9744, 8261, 7030, 6005, 5147, 4427, 3820, 3307, 2872
    };
    private static final double[] KOWALIK_Y = {
        0.1957, 0.1947, 0.1735, 0.1600, 0.0844, 0.0627, 0.0456, 0.0342, 0.0323, 0.0235, 0.0246
    };
    private static final double[] KOWALIK_U = {4, 2, 1, 0.5, 0.25, 0.167, 0.125, 0.1, 0.0833, 0.0714, 0.0625};
    private static final double[] OSBORNE_1 = {
        0.844, 0.908, 0.932, 0.936, 0.925, 0.908, 0.881, 0.850, 0.818, 0.784, 0.751, 0.718, 0.685, 0.658, 0.628, 0.603,
        0.580, 0.558, 0.538, 0.522, 0.506, 0.490, 0.478, 0.467, 0.457, 0.448, 0.438, 0.431, 0.424, 0.420, 0.414, 0.411,
        0.406
    };
    private static final double[] OSBORNE_2 = {
        1.366, 1.191, 1.112, 1.013, 0.991, 0.885, 0.831, 0.847, 0.786, 0.725, 0.746, 0.679, 0.608, 0.655, 0.616, 0.606,
        0.602, 0.626, 0.651, 0.724, 0.649, 0.649, 0.694, 0.644, 0.624, 0.661, 0.612, 0.558, 0.533, 0.495, 0.500, 0.423,
        0.395, 0.375, 0.372, 0.391, 0.396, 0.405, 0.428, 0.429, 0.523, 0.562, 0.607, 0.653, 0.672, 0.708, 0.633, 0.668,
        0.645, 0.632, 0.591, 0.559, 0.597, 0.625, 0.739, 0.710, 0.729, 0.720, 0.636, 0.581, 0.428, 0.292, 0.162, 0.098,
        0.054
    };

    private DataFits() {}

    /** [6] 2 + 2i - (exp(i x₁) + exp(i x₂)), m = 10. */
    static TestFunction jennrichSampson() {
        return new SumOfSquares(
                "Jennrich and Sampson",
                at(0.3, 0.4),
                10,
                (i, x, row) -> {
                    row[0] = -i * exp(i * x[0]);
                    row[1] = -i * exp(i * x[1]);
                    return 2 + 2 * i - exp(i * x[0]) - exp(i * x[1]);
                },
                new Minimum(124.36218235561485));
    }

    /** [8] yᵢ - x₁ - u / (v x₂ + w x₃) with u = i, v = 16 - i, w = min(u, v). The second minimum is at infinity. */
    static TestFunction bard() {
        return new SumOfSquares(
                "Bard",
                at(1, 1, 1),
                BARD.length,
                (i, x, row) -> {
                    double v = 16 - i;
                    double w = Math.min(i, v);
                    double d = v * x[1] + w * x[2];
                    row[0] = -1;
                    row[1] = i * v / (d * d);
                    row[2] = i * w / (d * d);
                    return BARD[i - 1] - x[0] - i / d;
                },
                new Minimum(8.21487730657898e-3),
                new Minimum(17.428693333333335));
    }

    /** [9] x₁ exp(-x₂ (t - x₃)² / 2) - yᵢ with t = (8 - i) / 2, m = 15. */
    static TestFunction gaussian() {
        return new SumOfSquares(
                "Gaussian",
                at(0.4, 1, 0),
                15,
                (i, x, row) -> {
                    double d = (8 - i) / 2.0 - x[2];
                    double e = exp(-x[1] * d * d / 2);
                    row[0] = e;
                    row[1] = -x[0] * e * d * d / 2;
                    row[2] = x[0] * e * x[1] * d;
                    return x[0] * e - GAUSSIAN[Math.abs(8 - i)];
                },
                new Minimum(1.1279327696190113e-8));
    }

    /** [10] x₁ exp(x₂ / (t + x₃)) - yᵢ with t = 45 + 5i. */
    static TestFunction meyer() {
        return new SumOfSquares(
                "Meyer",
                at(0.02, 4000, 250),
                MEYER.length,
                (i, x, row) -> {
                    double d = 45 + 5 * i + x[2];
                    double e = exp(x[1] / d);
                    row[0] = e;
                    row[1] = x[0] * e / d;
                    row[2] = -x[0] * e * x[1] / (d * d);
                    return x[0] * e - MEYER[i - 1];
                },
                new Minimum(87.94585517085112));
    }

    /**
     * [11] exp(-|yᵢ - x₂|^x₃ / x₁) - t with t = i / 100, y = 25 + (-50 ln t)^(2/3), m = 99. The paper prints yᵢ m i x₂
     * between the bars, which its minimiser (50, 25, 1.5) does not solve; this is the form in general use.
     */
    static TestFunction gulf() {
        return new SumOfSquares(
                "Gulf research and development",
                at(5, 2.5, 0.15),
                99,
                (i, x, row) -> {
                    double t = i / 100.0;
                    double d = 25 + Math.pow(-50 * Math.log(t), 2.0 / 3) - x[1];
                    double a = Math.abs(d);
                    double power = Math.pow(a, x[2]);
                    double e = exp(-power / x[0]);
                    row[0] = e * power / (x[0] * x[0]);
                    row[1] = e * x[2] * power / (d * x[0]);
                    row[2] = -e * power * Math.log(a) / x[0];
                    return e - t;
                },
                new Minimum(0, 50, 25, 1.5));
    }

    /** [12] exp(-t x₁) - exp(-t x₂) - x₃ (exp(-t) - exp(-10 t)) with t = i / 10, m = 10. */
    static TestFunction box() {
        return new SumOfSquares(
                "Box three-dimensional",
                at(0, 10, 20),
                10,
                (i, x, row) -> {
                    double t = i / 10.0;
                    row[0] = -t * exp(-t * x[0]);
                    row[1] = t * exp(-t * x[1]);
                    row[2] = -exp(-t) + exp(-10 * t);
                    return exp(-t * x[0]) - exp(-t * x[1]) + x[2] * row[2];
                },
                new Minimum(0, 1, 10, 1));
    }

    /** [15] yᵢ - x₁ (u² + u x₂) / (u² + u x₃ + x₄). The second minimum is at infinity. */
    static TestFunction kowalikOsborne() {
        return new SumOfSquares(
                "Kowalik and Osborne",
                at(0.25, 0.39, 0.415, 0.39),
                KOWALIK_Y.length,
                (i, x, row) -> {
                    double u = KOWALIK_U[i - 1];
                    double numerator = u * u + u * x[1];
                    double denominator = u * u + u * x[2] + x[3];
                    row[0] = -numerator / denominator;
                    row[1] = -x[0] * u / denominator;
                    row[3] = x[0] * numerator / (denominator * denominator);
                    row[2] = u * row[3];
                    return KOWALIK_Y[i - 1] + x[0] * row[0];
                },
                new Minimum(3.075056038492378e-4),
                new Minimum(1.0273430486954585e-3));
    }

    /** [16] (x₁ + t x₂ - exp t)² + (x₃ + x₄ sin t - cos t)² with t = i / 5, m = 20. */
    static TestFunction brownDennis() {
        return new SumOfSquares(
                "Brown and Dennis",
                at(25, 5, -5, -1),
                20,
                (i, x, row) -> {
                    double t = i / 5.0;
                    double a = x[0] + t * x[1] - exp(t);
                    double b = x[2] + x[3] * Math.sin(t) - Math.cos(t);
                    row[0] = 2 * a;
                    row[1] = 2 * a * t;
                    row[2] = 2 * b;
                    row[3] = 2 * b * Math.sin(t);
                    return a * a + b * b;
                },
                new Minimum(85822.20162635631));
    }

    /** [17] yᵢ - x₁ - x₂ exp(-t x₄) - x₃ exp(-t x₅) with t = 10 (i - 1). */
    static TestFunction osborne1() {
        return new SumOfSquares(
                "Osborne 1",
                at(0.5, 1.5, -1, 0.01, 0.02),
                OSBORNE_1.length,
                (i, x, row) -> {
                    double t = 10 * (i - 1);
                    row[0] = -1;
                    row[1] = -exp(-t * x[3]);
                    row[2] = -exp(-t * x[4]);
                    row[3] = -t * x[1] * row[1];
                    row[4] = -t * x[2] * row[2];
                    return OSBORNE_1[i - 1] - x[0] + x[1] * row[1] + x[2] * row[2];
                },
                new Minimum(5.464894697482912e-5));
    }

    /**
     * [18] x₃ exp(-t x₁) - x₄ exp(-t x₂) + x₆ exp(-t x₅) - yᵢ with t = i / 10, y = exp(-t) - 5 exp(-10 t) + 3 exp(-4 t),
     * m = 13.
     */
    static TestFunction biggsExp6() {
        return new SumOfSquares(
                "Biggs EXP6",
                at(1, 2, 1, 1, 1, 1),
                13,
                (i, x, row) -> {
                    double t = i / 10.0;
                    row[2] = exp(-t * x[0]);
                    row[3] = -exp(-t * x[1]);
                    row[5] = exp(-t * x[4]);
                    row[0] = -t * x[2] * row[2];
                    row[1] = -t * x[3] * row[3];
                    row[4] = -t * x[5] * row[5];
                    double y = exp(-t) - 5 * exp(-10 * t) + 3 * exp(-4 * t);
                    return x[2] * row[2] + x[3] * row[3] + x[5] * row[5] - y;
                },
                new Minimum(0, 1, 10, 1, 5, 4, 3),
                new Minimum(5.655649925499949e-3));
    }

    /** [19] yᵢ - x₁ exp(-t x₅) - Σ xₖ exp(-(t - xₖ₊₇)² xₖ₊₄), k = 2, 3, 4, with t = (i - 1) / 10. */
    static TestFunction osborne2() {
        return new SumOfSquares(
                "Osborne 2",
                at(1.3, 0.65, 0.65, 0.7, 0.6, 3, 5, 7, 2, 4.5, 5.5),
                OSBORNE_2.length,
                (i, x, row) -> {
                    double t = (i - 1) / 10.0;
                    row[0] = -exp(-t * x[4]);
                    row[4] = -t * x[0] * row[0];
                    double r = OSBORNE_2[i - 1] + x[0] * row[0];
                    for (int k = 1; k <= 3; k++) {
                        double d = t - x[k + 7];
                        row[k] = -exp(-d * d * x[k + 4]);
                        row[k + 4] = -d * d * x[k] * row[k];
                        row[k + 7] = 2 * d * x[k + 4] * x[k] * row[k];
                        r += x[k] * row[k];
                    }
                    return r;
                },
                new Minimum(0.040137736293547756));
    }
}
