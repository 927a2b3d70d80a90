package io.github.dl4jfuse.functions;

import static io.github.dl4jfuse.functions.TestFunction.at;

import io.github.dl4jfuse.functions.TestFunction.Minimum;
import java.util.List;

/**
 * The test functions of J. J. Moré, B. S. Garbow, K. E. Hillstrom, <i>Testing Unconstrained Optimization Software</i>,
 * ACM Transactions on Mathematical Software 7 (1981) 17-41, with the standard starts. Numbers in brackets are those of
 * section 3 there.
 */
public final class MoreGarbowHillstrom {

    private MoreGarbowHillstrom() {}

    /** Returns all of them, those of variable dimension in the sizes that have published minima or are usual. */
    public static List<TestFunction> all() {
        return List.of(
                ScalableProblems.extendedRosenbrock(2),
                ScalableProblems.extendedRosenbrock(50),
                freudensteinRoth(),
                powellBadlyScaled(),
                brownBadlyScaled(),
                beale(),
                DataFits.jennrichSampson(),
                helicalValley(),
                DataFits.bard(),
                DataFits.gaussian(),
                DataFits.meyer(),
                DataFits.gulf(),
                DataFits.box(),
                ScalableProblems.extendedPowellSingular(4),
                ScalableProblems.extendedPowellSingular(20),
                wood(),
                DataFits.kowalikOsborne(),
                DataFits.brownDennis(),
                DataFits.osborne1(),
                DataFits.biggsExp6(),
                DataFits.osborne2(),
                ScalableProblems.watson(6, 2.287670053552454e-3),
                ScalableProblems.watson(9, 1.3997601381008329e-6),
                ScalableProblems.watson(12, 4.722381105643382e-10),
                ScalableProblems.penalty1(4, 2.2499775008999372e-5),
                ScalableProblems.penalty1(10, 7.087651467090369e-5),
                ScalableProblems.penalty2(4, 9.376293007355446e-6),
                ScalableProblems.penalty2(10, 2.93660537456746e-4),
                ScalableProblems.variablyDimensioned(10),
                ScalableProblems.trigonometric(10, 2.7950561218794563e-5),
                ScalableProblems.brownAlmostLinear(10),
                EquationSystems.discreteBoundaryValue(10),
                EquationSystems.discreteIntegralEquation(10),
                EquationSystems.broydenTridiagonal(10),
                EquationSystems.broydenBanded(10),
                EquationSystems.linearFullRank(5, 10),
                EquationSystems.linearRank1(5, 10),
                EquationSystems.linearRank1WithZeros(5, 10),
                EquationSystems.chebyquad(7, 0),
                EquationSystems.chebyquad(8, 3.51687372567793e-3),
                EquationSystems.chebyquad(10, 6.503954800882308e-3));
    }

    /** [2] -13 + x₁ + ((5 - x₂) x₂ - 2) x₂ and -29 + x₁ + ((x₂ + 1) x₂ - 14) x₂. */
    static TestFunction freudensteinRoth() {
        return new SumOfSquares(
                "Freudenstein and Roth",
                at(0.5, -2),
                2,
                (i, x, row) -> {
                    double y = x[1];
                    row[0] = 1;
                    if (i == 1) {
                        row[1] = 10 * y - 3 * y * y - 2;
                        return -13 + x[0] + ((5 - y) * y - 2) * y;
                    }
                    row[1] = 3 * y * y + 2 * y - 14;
                    return -29 + x[0] + ((y + 1) * y - 14) * y;
                },
                new Minimum(48.98425367924002, 11.412778986902095, -0.8968052532744764),
                new Minimum(0, 5, 4));
    }

    /** [3] 10⁴ x₁ x₂ - 1 and exp(-x₁) + exp(-x₂) - 1.0001. */
    static TestFunction powellBadlyScaled() {
        return new SumOfSquares(
                "Powell badly scaled",
                at(0, 1),
                2,
                (i, x, row) -> {
                    if (i == 1) {
                        row[0] = 1e4 * x[1];
                        row[1] = 1e4 * x[0];
                        return 1e4 * x[0] * x[1] - 1;
                    }
                    row[0] = -Math.exp(-x[0]);
                    row[1] = -Math.exp(-x[1]);
                    return Math.exp(-x[0]) + Math.exp(-x[1]) - 1.0001;
                },
                new Minimum(0, 1.0981593296998175e-5, 9.106146739866524));
    }

    /** [4] x₁ - 10⁶, x₂ - 2·10⁻⁶ and x₁ x₂ - 2. */
    static TestFunction brownBadlyScaled() {
        return new SumOfSquares(
                "Brown badly scaled",
                at(1, 1),
                3,
                (i, x, row) -> {
                    if (i == 3) {
                        row[0] = x[1];
                        row[1] = x[0];
                        return x[0] * x[1] - 2;
                    }
                    row[i - 1] = 1;
                    return i == 1 ? x[0] - 1e6 : x[1] - 2e-6;
                },
                new Minimum(0, 1e6, 2e-6));
    }

    /** [5] yᵢ - x₁ (1 - x₂ⁱ) with y = 1.5, 2.25, 2.625. */
    static TestFunction beale() {
        double[] y = {1.5, 2.25, 2.625};
        return new SumOfSquares(
                "Beale",
                at(1, 1),
                3,
                (i, x, row) -> {
                    row[0] = Math.pow(x[1], i) - 1;
                    row[1] = i * x[0] * Math.pow(x[1], i - 1);
                    return y[i - 1] + x[0] * row[0];
                },
                new Minimum(0, 3, 0.5));
    }

    /**
     * [7] 10 (x₃ - 10 θ), 10 (√(x₁² + x₂²) - 1) and x₃, where θ = arctan(x₂ / x₁) / 2π, and half a turn more for
     * negative x₁.
     */
    static TestFunction helicalValley() {
        return new SumOfSquares(
                "Helical valley",
                at(-1, 0, 0),
                3,
                (i, x, row) -> {
                    double radius = Math.hypot(x[0], x[1]);
                    if (i == 1) {
                        double turns = Math.atan(x[1] / x[0]) / (2 * Math.PI) + (x[0] < 0 ? 0.5 : 0);
                        row[0] = 100 * x[1] / (2 * Math.PI * radius * radius);
                        row[1] = -100 * x[0] / (2 * Math.PI * radius * radius);
                        row[2] = 10;
                        return 10 * (x[2] - 10 * turns);
                    }
                    if (i == 2) {
                        row[0] = 10 * x[0] / radius;
                        row[1] = 10 * x[1] / radius;
                        return 10 * (radius - 1);
                    }
                    row[2] = 1;
                    return x[2];
                },
                new Minimum(0, 1, 0, 0));
    }

    /**
     * [14] 10 (x₂ - x₁²), 1 - x₁, √90 (x₄ - x₃²), 1 - x₃, √10 (x₂ + x₄ - 2) and (x₂ - x₄) / √10.
     */
    static TestFunction wood() {
        return new SumOfSquares(
                "Wood",
                at(-3, -1, -3, -1),
                6,
                (i, x, row) -> {
                    switch (i) {
                        case 1, 3 -> {
                            double factor = i == 1 ? 10 : Math.sqrt(90);
                            row[i - 1] = -2 * factor * x[i - 1];
                            row[i] = factor;
                            return factor * (x[i] - x[i - 1] * x[i - 1]);
                        }
                        case 2, 4 -> {
                            row[i - 2] = -1;
                            return 1 - x[i - 2];
                        }
                        default -> {
                            double factor = i == 5 ? Math.sqrt(10) : 1 / Math.sqrt(10);
                            double sign = i == 5 ? 1 : -1;
                            row[1] = factor;
                            row[3] = sign * factor;
                            return factor * (x[1] + sign * x[3] - (i == 5 ? 2 : 0));
                        }
                    }
                },
                new Minimum(0, 1, 1, 1, 1));
    }
}
