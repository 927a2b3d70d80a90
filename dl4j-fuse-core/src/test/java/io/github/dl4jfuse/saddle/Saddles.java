package io.github.dl4jfuse.saddle;

/** Functions with a critical point at the origin that is no minimum (but for the last two). All are bounded below. */
enum Saddles {
    STRICT_2(true, quartic(2).plus(0.5, 0, 0).plus(-0.5, 1, 1)),
    STRICT_10_HALF_NEGATIVE(true, signs(10, 5)),
    STRICT_100_ONE_NEGATIVE(true, signs(100, 1)),
    STRICT_WITH_FLAT_DIRECTIONS(true, quartic(6).plus(-0.5, 0, 0).plus(0.5, 1, 1)),
    MONKEY(true, monkey(2)),
    MONKEY_AND_CURVATURE_5(true, curved(monkey(5), 2)),
    MONKEY_AND_CURVATURE_100(true, curved(monkey(100), 2)),
    THREE_FACTORS(true, quartic(3).plus(1, 0, 1, 2)),
    TEN_TIMES_THREE_FACTORS(true, factors(30)),
    LINE_OF_SADDLES(
            true,
            Polynomial.zero(5)
                    .plus(1, 0, 1, 2)
                    .plusPower(0.25, 0, 4)
                    .plusPower(0.25, 1, 4)
                    .plusPower(0.25, 2, 4)),
    CUBIC_INFLECTION(true, quartic(2).plus(1, 0, 0).plusPower(1, 1, 3)),
    SUM_OF_CUBES_20(true, cubes(20)),
    MONKEY_AND_NEGATIVE_CURVATURE(
            true,
            quartic(4).plusPower(1, 0, 3).plus(-3, 0, 1, 1).plus(-0.5, 2, 2).plus(0.5, 3, 3)),
    SQUARE_TIMES_OTHER(false, Polynomial.zero(2).plus(1, 0, 0, 1).plus(1, 1, 1).plusPower(1, 0, 6)),
    FOURTH_ORDER(
            false, Polynomial.zero(2).plusPower(-1, 0, 4).plusPower(1, 0, 6).plus(1, 1, 1)),
    FIFTH_ORDER(false, Polynomial.zero(2).plusPower(1, 0, 5).plusPower(1, 0, 6).plus(1, 1, 1)),
    MONKEY_OF_ORDER_4(
            false,
            Polynomial.zero(2)
                    .plusPower(1, 0, 4)
                    .plus(-6, 0, 0, 1, 1)
                    .plusPower(1, 1, 4)
                    .plusPower(1, 0, 6)
                    .plusPower(1, 1, 6)),
    QUARTIC_MINIMUM(false, quartic(10)),
    FOUR_FACTORS(
            false,
            Polynomial.zero(4)
                    .plus(1, 0, 1, 2, 3)
                    .plusPower(1, 0, 6)
                    .plusPower(1, 1, 6)
                    .plusPower(1, 2, 6)
                    .plusPower(1, 3, 6));

    /** Whether the theory promises that it is left: negative curvature, or a third derivative on the null space. */
    final boolean promised;

    final Polynomial function;

    Saddles(boolean promised, Polynomial function) {
        this.promised = promised;
        this.function = function;
    }

    private static Polynomial quartic(int n) {
        Polynomial f = Polynomial.zero(n);
        for (int i = 0; i < n; i++) {
            f = f.plusPower(0.25, i, 4);
        }
        return f;
    }

    private static Polynomial signs(int n, int negative) {
        return signs(quartic(n), negative);
    }

    private static Polynomial signs(Polynomial f, int negative) {
        for (int i = 0; i < f.dimension(); i++) {
            f = f.plus(i < negative ? -0.5 : 0.5 + i / 10.0, i, i);
        }
        return f;
    }

    /** x³ - 3xy² + (x² + y²)² / 4 in the first two variables. */
    static Polynomial monkey(int n) {
        return Polynomial.zero(n)
                .plusPower(1, 0, 3)
                .plus(-3, 0, 1, 1)
                .plusPower(0.25, 0, 4)
                .plus(0.5, 0, 0, 1, 1)
                .plusPower(0.25, 1, 4);
    }

    private static Polynomial curved(Polynomial f, int from) {
        for (int i = from; i < f.dimension(); i++) {
            f = f.plus(0.5 + i, i, i);
        }
        return f;
    }

    private static Polynomial factors(int n) {
        Polynomial f = quartic(n);
        for (int i = 0; i < n; i += 3) {
            f = f.plus(1, i, i + 1, i + 2);
        }
        return f;
    }

    private static Polynomial cubes(int n) {
        Polynomial f = quartic(n);
        for (int i = 0; i < n; i++) {
            f = f.plusPower(i % 2 == 0 ? 1 : -1, i, 3);
        }
        return f;
    }
}
